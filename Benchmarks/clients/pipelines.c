/* pipelines PORT CONNECTIONS SECONDS: CONNECTIONS connections pipeline GET /health without a token, and one other asks
 * for it once at a time. Prints the other's microseconds: p50, p95, maximum, and the number of its requests; then the
 * number of answers to the pipelines. */
#include "common.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 200, MOST = 1 << 20 };

static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
static char batch[BATCH * sizeof request];
static SSL_CTX *context;
static int port;
static atomic_int ended, ready;
static atomic_size_t answers;

/* Reads answers, and counts their status lines, until `count` have begun since the last call. `matched` is how much of
 * the next status line was read. */
static void read_answers(SSL *ssl, long *count, size_t *matched) {
    static const char line[] = "HTTP/1.1 200 ";
    static _Thread_local char buffer[1 << 16];
    while (*count > 0) {
        int got = SSL_read(ssl, buffer, sizeof buffer);
        if (got <= 0) fail("a pipeline ended");
        for (int at = 0; at < got; at++) {
            *matched = buffer[at] == line[*matched] ? *matched + 1 : buffer[at] == 'H';
            if (*matched < sizeof line - 1) continue;
            *matched = 0;
            --*count;
            atomic_fetch_add(&answers, 1);
        }
    }
}

/* Two batches are under way at any time, so the server always has a request of this connection. */
static void *pipeline(void *unused) {
    SSL *ssl = connect_tls(context, port, NULL);
    size_t matched = 0;
    long left = 0;
    write_all(ssl, batch, BATCH * (sizeof request - 1));
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&ended)) {
        write_all(ssl, batch, BATCH * (sizeof request - 1));
        left += BATCH;
        read_answers(ssl, &left, &matched);
    }
    return unused;
}

static int compare(const void *left, const void *right) {
    double one = *(const double *)left, other = *(const double *)right;
    return one < other ? -1 : one > other;
}

int main(int count, char **arguments) {
    if (count != 4) fail("usage: pipelines PORT CONNECTIONS SECONDS");
    static double delays[MOST];
    static char buffer[4096];
    size_t delay_count = 0;
    int connections = atoi(arguments[2]);
    port = atoi(arguments[1]);
    context = client_context();
    for (int at = 0; at < BATCH; at++) memcpy(batch + at * (sizeof request - 1), request, sizeof request - 1);
    SSL *ssl = connect_tls(context, port, NULL);
    for (int at = 0; at < connections; at++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, pipeline, NULL)) fail("no thread");
    }
    while (atomic_load(&ready) < connections) usleep(1000);
    double end = now() + atof(arguments[3]);
    size_t before = atomic_load(&answers);
    while (now() < end && delay_count < MOST) {
        double begin = now();
        write_all(ssl, request, sizeof request - 1);
        /* The body is an object without others in it. */
        for (int got = 0; got < 1 || buffer[got - 1] != '}';) {
            got = SSL_read(ssl, buffer, sizeof buffer);
            if (got <= 0) fail("the other connection ended");
        }
        delays[delay_count++] = (now() - begin) * 1e6;
    }
    size_t answered = atomic_load(&answers) - before;
    qsort(delays, delay_count, sizeof *delays, compare);
    printf("%.0f %.0f %.0f %zu %zu\n", delays[delay_count / 2], delays[delay_count * 95 / 100],
           delays[delay_count - 1], delay_count, answered);
    exit(0);
}
