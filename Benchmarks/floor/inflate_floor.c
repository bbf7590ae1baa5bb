/* inflate_floor FILE SECONDS: inflates gzip bodies by turns with only zlib: those of a file as ingest.lua takes it,
 * each after a line with its size. Prints microseconds of processor time for each: the minimum for a server that takes
 * gzip. */
#include "../clients/common.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

int main(int count, char **arguments) {
    static unsigned char packed[4 << 20], text[16 << 20];
    if (count != 3) fail("usage: inflate_floor FILE SECONDS");
    FILE *file = fopen(arguments[1], "rb");
    if (!file) fail("cannot read %s", arguments[1]);
    size_t sizes[256], number = 0, end = 0;
    for (char line[32]; number < 256 && fgets(line, sizeof line, file); number++) {
        sizes[number] = (size_t)atol(line);
        if (end + sizes[number] > sizeof packed || fread(packed + end, 1, sizes[number], file) != sizes[number])
            fail("%s is cut off, or too large", arguments[1]);
        end += sizes[number];
    }
    if (number == 0) fail("%s is empty", arguments[1]);
    double begin = processor_time(), seconds = atof(arguments[2]);
    long rounds = 0;
    z_stream stream = {0};
    if (inflateInit2(&stream, 31) != Z_OK) fail("no stream");
    while (processor_time() < begin + seconds) {
        unsigned char *body = packed;
        for (size_t turn = 0; turn < number; turn++, rounds++) {
            inflateReset(&stream);
            stream.next_in = body;
            stream.avail_in = (unsigned)sizes[turn];
            body += sizes[turn];
            stream.next_out = text;
            stream.avail_out = sizeof text;
            if (inflate(&stream, Z_FINISH) != Z_STREAM_END) fail("%s holds no gzip body", arguments[1]);
        }
    }
    printf("%.2f\n", (processor_time() - begin) / (double)rounds * 1e6);
}
