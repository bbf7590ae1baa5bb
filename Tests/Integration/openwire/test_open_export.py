"""GET /api/v2/runs/{run}/export."""

import csv
import io
import json
import random

from Support.clients.ingest import accept
from Support.clients.openwire import EXAMPLE, LINES, accept_lines, accept_steps, read_steps, request, run_path
from Support.payloads import payload, run_id


def export(server, run: str, form: str):
    response = request(server, "GET", run_path(run) + "/export", params={"format": form})
    assert response.status_code == 200, response.text[:2000]
    return response


def rows(server, run: str) -> list[list[str]]:
    """The lines of an export as CSV, without the first one."""
    text = export(server, run, "csv").content.decode()
    assert text.endswith("\r\n")
    first, *others = csv.reader(io.StringIO(text, newline=""))
    assert first == ["step", "time", "layer", "metric", "value"]
    return others


def test_an_export_as_csv_has_a_line_for_each_number(server):
    run = run_id("csv")
    accept_steps(server, run, {"step": 7, "time": 0.1, "scalars": {"x": 0.30000000000000004}}, EXAMPLE,
                 {"step": 1, "time": 2.5, "scalars": {"loss": "-Infinity", "lr": 1e-7}})
    response = export(server, run, "csv")
    assert response.headers["Content-Type"].split(";")[0] == "text/csv"
    assert response.content.decode().split("\r\n") == [
        "step,time,layer,metric,value",
        "1,2.5,,loss,-Infinity", "1,2.5,,lr,1e-07",
        "7,0.1,,x,0.30000000000000004",
        "1200,1795993300.81,,train/loss,0.31", "1200,1795993300.81,,lr,0.0003", "1200,1795993300.81,,grad_norm,1.7",
        "1200,1795993300.81,h/0/attn,gradient_l2_norm,0.021", "1200,1795993300.81,h/0/attn,activation_std,1.02",
        "1200,1795993300.81,h/0/attn,update_ratio,0.0011",
        "1200,1795993300.81,h/0/mlp,gradient_l2_norm,0.043", "1200,1795993300.81,h/0/mlp,update_ratio,NaN", ""]


def test_fields_of_an_export_are_quoted_where_they_must_be(server):
    run = run_id("quoted")
    names = ["with,comma", 'quo"te', "=plain", " space ", "é"]
    layers = [*names, "line\nbreak", "return\r"]
    accept_steps(server, run, {
        "step": 2**53 + 1, "time": 1.5, "scalars": {name: index for index, name in enumerate(names)}, "layers": layers,
        "metrics": {'m,"': list(range(len(layers)))}, "vectors": {"v": {"a": [1]}}})
    assert [[*row[:4], float(row[4])] for row in rows(server, run)] == [
        *([str(2**53 + 1), "1.5", "", name, index] for index, name in enumerate(names)),
        *([str(2**53 + 1), "1.5", layer, 'm,"', index] for index, layer in enumerate(layers))]


def test_a_step_of_v1_is_exported_with_the_names_of_the_open_wire(server):
    run = run_id("v1")
    posted = payload(run, 3)
    accept(server, posted)
    step, = read_steps(server, run)
    found = {(layer, name): float(value) for number, time, layer, name, value in rows(server, run)
             if (number, float(time)) == ("3", step["time"])}
    expected = {("", name): value for name, value in step["scalars"].items()}
    for name, column in step["metrics"].items():
        expected |= {(layer["id"], name): value
                     for layer, value in zip(step["layers"], column, strict=True) if value is not None}
    assert found == expected
    assert ("", "gradient_norm_ratio/block1.fc/block0.fc") in found


def test_exported_whole_numbers_have_no_fraction(server):
    run = run_id("whole")
    values = {1: "1", -3: "-3", 0: "0", 120: "120", 2**53 - 1: "9007199254740991", 10.5: "10.5", 1e300: "1e+300"}
    accept_steps(server, run, {"step": 1, "time": 5, "layers": ["l"], "metrics": {"m": [7.0]},
                               "scalars": {f"s{index}": value for index, value in enumerate([*values, -0.0])}})
    assert [(row[1], row[4]) for row in rows(server, run)] == [
        ("5", text) for text in [*values.values(), "-0", "7"]]


def test_exported_numbers_have_the_shortest_digits(server):
    run = run_id("digits")
    rng = random.Random(5)
    values = [rng.choice([-1, 1]) * rng.random() * 10.0 ** rng.randint(-300, 300) for _ in range(500)] + [5e-324, 0.0]
    accept_steps(server, run, {"step": 1, "scalars": {f"s{index}": value for index, value in enumerate(values)}})
    for row, value in zip(rows(server, run), values, strict=True):
        digits = row[4].lower().partition("e")[0].replace(".", "").lstrip("-").strip("0")
        shortest = repr(value).partition("e")[0].replace(".", "").lstrip("-").strip("0")
        assert float(row[4]) == value and len(digits) <= len(shortest), row


def test_exported_lines_can_be_posted_as_a_batch(server):
    first, second = run_id("export"), run_id("import")
    accept_steps(server, first, EXAMPLE, *(
        {"step": step, "scalars": {"x": "NaN"}, "layers": [{"id": "a.b", "depth": step}], "metrics": {"m": [None]},
         "vectors": {"v": {"c": ["Infinity", step]}}} for step in range(5)))
    accept(server, payload(first, 9000))
    response = export(server, first, "jsonl")
    assert response.headers["Content-Type"].split(";")[0] in (LINES, "application/jsonl")
    assert [json.loads(line) for line in response.content.splitlines()] == read_steps(server, first)
    answer = accept_lines(server, second, response.content)
    assert answer == {"status": "accepted", "accepted": 7, "last_seq": 7, "rejected": [], "rejected_count": 0}
    for form in ("jsonl", "csv"):
        def without_seq(run, form=form):
            lines = export(server, run, form).content.splitlines()
            return [{**json.loads(line), "seq": 0} for line in lines] if form == "jsonl" else lines
        assert without_seq(second) == without_seq(first)


def test_an_export_is_a_file_with_the_name_of_the_run(server):
    run = run_id("a/b ü\"")
    accept_steps(server, run, {"step": 1})
    for form in ("csv", "jsonl"):
        header = export(server, run, form).headers["Content-Disposition"]
        name = run.replace("/", "%2F").replace(" ", "%20").replace("ü", "%C3%BC").replace('"', "%22")
        assert header == f"attachment; filename*=UTF-8''{name}.{form}"
