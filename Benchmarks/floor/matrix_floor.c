/* matrix_floor LAYERS STEPS POINTS SECONDS: the floor of a matrix. Holds the steps of a run as the server does, one array
 * of twelve columns for each, and fills the 32-bit floats of one metric again and again: for each layer and bucket of
 * steps the last value that was posted. Prints the CPU per matrix in microseconds. */
#include "../clients/common.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t missing = 0x7FF800000000A85E;

/* The least shift that gives at most `points` buckets. */
static int least_shift(int steps, int points) {
    int shift = 0;
    while (((steps - 1) >> shift) + 1 > points) shift++;
    return shift;
}

int main(int count, char **arguments) {
    if (count != 5) fail("usage: matrix_floor LAYERS STEPS POINTS SECONDS");
    int layers = atoi(arguments[1]), steps = atoi(arguments[2]);
    int shift = least_shift(steps, atoi(arguments[3]));
    int buckets = ((steps - 1) >> shift) + 1;
    double **records = malloc((size_t)steps * sizeof *records);
    uint32_t *matrix = malloc((size_t)layers * (size_t)buckets * sizeof *matrix);
    if (!records || !matrix) fail("no memory");
    for (int step = 0; step < steps; step++) {
        records[step] = malloc((size_t)layers * 12 * sizeof **records);
        if (!records[step]) fail("no memory");
        for (int number = 0; number < layers * 12; number++) records[step][number] = 1.0 / (1 + step + number);
    }
    double begin = processor_time(), seconds = atof(arguments[4]);
    long rounds = 0;
    volatile uint32_t sum = 0;
    for (; processor_time() < begin + seconds; rounds++) {
        for (int place = 0; place < layers * buckets; place++) matrix[place] = 0x7FC00000;
        for (int step = 0; step < steps; step++) {
            const double *column = records[step] + 3 * layers;
            uint32_t *cell = matrix + (step >> shift);
            for (int layer = 0; layer < layers; layer++, cell += buckets) {
                uint64_t bits;
                memcpy(&bits, column + layer, sizeof bits);
                if (bits == missing) continue;
                float value = (float)column[layer];
                if (isnan(value)) *cell = 0x7FC00001;
                else memcpy(cell, &value, sizeof value);
            }
        }
        sum += matrix[rounds % (layers * buckets)];
    }
    printf("%.2f\n", (processor_time() - begin) / (double)rounds * 1e6);
}
