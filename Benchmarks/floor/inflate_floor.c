/* inflate_floor FILE SECONDS: inflates a gzip file over and over with nothing but zlib. Prints microseconds of processor
 * time for each: what a server that takes gzip cannot do without. */
#include "../clients/common.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

int main(int count, char **arguments) {
    static unsigned char packed[4 << 20], text[16 << 20];
    if (count != 3) fail("usage: inflate_floor FILE SECONDS");
    FILE *file = fopen(arguments[1], "rb");
    if (!file) fail("cannot read %s", arguments[1]);
    size_t size = fread(packed, 1, sizeof packed, file);
    double begin = processor_time(), seconds = atof(arguments[2]);
    long rounds = 0;
    z_stream stream = {0};
    if (inflateInit2(&stream, 31) != Z_OK) fail("no stream");
    while (processor_time() < begin + seconds) {
        for (int round = 0; round < 20; round++, rounds++) {
            inflateReset(&stream);
            stream.next_in = packed;
            stream.avail_in = (unsigned)size;
            stream.next_out = text;
            stream.avail_out = sizeof text;
            if (inflate(&stream, Z_FINISH) != Z_STREAM_END) fail("%s is no gzip file", arguments[1]);
        }
    }
    printf("%.2f\n", (processor_time() - begin) / (double)rounds * 1e6);
}
