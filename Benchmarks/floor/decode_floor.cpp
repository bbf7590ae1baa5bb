// decode_floor PAYLOAD times COUNT: decodes a payload of v1 again and again.
// decode_floor PAYLOAD print: prints its numbers.
//
// The floor of decoding: extracts the values with simdjson's on-demand parser, the numbers into one array by column, as
// NNMonitor's decoder does. It checks types, lower bounds, lengths, the order of the layers and UTF-8. It expects the
// keys in schema order, finds no repeated keys, ends at the first error, and ignores `layer_groups`. The text has the
// padding that simdjson needs, and the parser's memory is reused, as its authors recommend; that of a step is new.
#include <simdjson.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace simdjson;

constexpr size_t columns = 12;
const double missing = std::numeric_limits<double>::quiet_NaN();

struct Step {
    std::string run_id;
    double timestamp = 0, feature_std_gradient = 0;
    int64_t step = 0, batch_size = 0;
    std::string text;
    std::vector<int32_t> name_bounds;
    std::vector<int64_t> depths, dimensions;
    std::vector<int32_t> shape_ends;
    std::string ratio_names;
    std::vector<int32_t> ratio_bounds;
    std::vector<double> ratios;
    std::vector<double> numbers;
};

[[noreturn]] void fail(const char *problem) {
    std::fprintf(stderr, "decode_floor: %s\n", problem);
    std::exit(1);
}

template <typename Value>
inline Value checked(simdjson_result<Value> &&result) {
    Value value;
    if (auto error = std::move(result).get(value)) fail(error_message(error));
    return value;
}

enum class Bound { none, not_negative, above_zero };

template <typename Number>
inline Number bounded(Number number, Bound bound) {
    if (bound == Bound::not_negative && !(number >= 0)) fail("a number is negative");
    if (bound == Bound::above_zero && !(number > 0)) fail("a number is not above zero");
    return number;
}

inline double number(ondemand::object &object, const char *key, size_t length, Bound bound) {
    return bounded(checked(object.find_field(std::string_view(key, length)).get_double()), bound);
}

inline int64_t integer(ondemand::object &object, const char *key, size_t length, Bound bound) {
    return bounded(checked(object.find_field(std::string_view(key, length)).get_int64()), bound);
}

/// Keys as literals, with their lengths.
#define KEY(text) text, sizeof text - 1

/// A number that may be absent or null.
inline double optional_number(ondemand::object &object, const char *key, size_t length, Bound bound) {
    ondemand::value value;
    auto error = object.find_field_unordered(std::string_view(key, length)).get(value);
    if (error == NO_SUCH_FIELD) return missing;
    if (error) fail(error_message(error));
    if (checked(value.is_null())) return missing;
    return bounded(checked(value.get_double()), bound);
}

inline void append_name(Step &step, std::string_view name, bool has_slashes) {
    if (name.empty() || name.size() > 1024) fail("the length of a name is out of range");
    size_t start = step.text.size();
    step.text.append(name);
    step.name_bounds.push_back(static_cast<int32_t>(start));
    step.name_bounds.push_back(static_cast<int32_t>(step.text.size()));
    if (!has_slashes) return;
    for (size_t index = start; index < step.text.size(); index++)
        if (step.text[index] == '.') step.text[index] = '/';
}

void read_layer(ondemand::object layer, Step &step, std::vector<double> &rows) {
    append_name(step, checked(layer.find_field("layer_id").get_string()), true);
    append_name(step, checked(layer.find_field("layer_type").get_string()), false);
    int64_t depth = integer(layer, KEY("depth_index"), Bound::not_negative);
    if (!step.depths.empty() && depth < step.depths.back()) fail("the layers are out of order");
    step.depths.push_back(depth);

    std::array<double, columns> row;
    ondemand::object features = checked(layer.find_field("intermediate_features").get_object());
    row[0] = number(features, KEY("activation_std"), Bound::not_negative);
    row[1] = number(features, KEY("activation_mean"), Bound::none);
    size_t before = step.dimensions.size();
    for (auto dimension : checked(features.find_field("activation_shape").get_array()))
        step.dimensions.push_back(checked(dimension.get_int64()));
    size_t length = step.dimensions.size() - before;
    if (length < 2 || length > 32) fail("the shape's length is out of range");
    step.shape_ends.push_back(static_cast<int32_t>(step.dimensions.size()));
    row[2] = optional_number(features, KEY("cross_layer_std_ratio"), Bound::not_negative);

    ondemand::object gradient = checked(layer.find_field("gradient_flow").get_object());
    row[3] = number(gradient, KEY("gradient_l2_norm"), Bound::not_negative);
    row[4] = number(gradient, KEY("gradient_std"), Bound::not_negative);
    row[5] = number(gradient, KEY("gradient_max_abs"), Bound::not_negative);

    ondemand::object parameters = checked(layer.find_field("parameter_statistics").get_object());
    ondemand::object weight = checked(parameters.find_field("weight").get_object());
    row[6] = number(weight, KEY("std"), Bound::not_negative);
    row[7] = number(weight, KEY("mean"), Bound::none);
    row[8] = number(weight, KEY("spectral_norm"), Bound::not_negative);
    row[9] = number(weight, KEY("frobenius_norm"), Bound::not_negative);

    row[10] = row[11] = missing;
    ondemand::value bias;
    auto error = parameters.find_field_unordered("bias").get(bias);
    if (error && error != NO_SUCH_FIELD) fail(error_message(error));
    if (!error && !checked(bias.is_null())) {
        ondemand::object metrics = checked(bias.get_object());
        row[10] = number(metrics, KEY("std"), Bound::not_negative);
        row[11] = number(metrics, KEY("mean_abs"), Bound::not_negative);
    }
    rows.insert(rows.end(), row.begin(), row.end());
}

Step decoded(ondemand::parser &parser, const padded_string &text) {
    ondemand::document document = checked(parser.iterate(text));
    ondemand::object payload = checked(document.get_object());
    Step step;
    size_t expected = text.size() / (50 * columns) + 1;
    step.text.reserve(expected * 32);
    step.name_bounds.reserve(expected * 4);
    step.depths.reserve(expected);
    step.dimensions.reserve(expected * 4);
    step.shape_ends.reserve(expected);
    std::vector<double> rows;
    rows.reserve(expected * columns);

    ondemand::object metadata = checked(payload.find_field("metadata").get_object());
    step.run_id = checked(metadata.find_field("run_id").get_string());
    if (step.run_id.empty() || step.run_id.size() > 512) fail("the length of the run's id is out of range");
    for (unsigned char byte : step.run_id)
        if (byte < 0x20 || byte == 0x7F) fail("a control character in the run's id");
    step.timestamp = number(metadata, KEY("timestamp"), Bound::above_zero);
    step.step = integer(metadata, KEY("global_step"), Bound::not_negative);
    step.batch_size = integer(metadata, KEY("batch_size"), Bound::above_zero);

    for (auto layer : checked(payload.find_field("layer_statistics").get_array()))
        read_layer(checked(layer.get_object()), step, rows);
    if (step.depths.empty()) fail("no layers");

    ondemand::object across = checked(payload.find_field("cross_layer_analysis").get_object());
    step.feature_std_gradient = number(across, KEY("feature_std_gradient"), Bound::none);
    for (auto field : checked(across.find_field("gradient_norm_ratio").get_object())) {
        step.ratio_bounds.push_back(static_cast<int32_t>(step.ratio_names.size()));
        step.ratio_names.append(checked(field.unescaped_key()));
        step.ratio_bounds.push_back(static_cast<int32_t>(step.ratio_names.size()));
        step.ratios.push_back(checked(field.value().get_double()));
    }
    // Reaches the end of the outermost object, so that what is not JSON behind the last value is an error.
    if (payload.find_field("").error() != NO_SUCH_FIELD) fail("unexpected data at the end");

    size_t layers = step.depths.size();
    step.numbers.reserve(rows.size() + step.ratios.size() + 1);
    for (size_t column = 0; column < columns; column++)
        for (size_t layer = 0; layer < layers; layer++) step.numbers.push_back(rows[layer * columns + column]);
    step.numbers.insert(step.numbers.end(), step.ratios.begin(), step.ratios.end());
    step.numbers.push_back(step.feature_std_gradient);
    return step;
}

}  // namespace

int main(int count, char **arguments) {
    const char *usage = "usage: decode_floor PAYLOAD times COUNT, or decode_floor PAYLOAD print";
    if (count < 3) fail(usage);
    padded_string text = checked(padded_string::load(arguments[1]));
    ondemand::parser parser;
    if (std::strcmp(arguments[2], "print") == 0) {
        for (double number : decoded(parser, text).numbers) std::printf("%.17g\n", number);
        return 0;
    }
    if (std::strcmp(arguments[2], "times") != 0 || count != 4) fail(usage);
    size_t numbers = 0;
    for (long left = std::atol(arguments[3]); left > 0; left--) numbers += decoded(parser, text).numbers.size();
    return numbers > 0 ? 0 : 1;
}
