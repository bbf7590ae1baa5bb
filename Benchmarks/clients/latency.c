/* latency PORT TOKEN SUBSCRIBERS RATE SECONDS TEMPLATE: posts RATE steps per second (TEMPLATE holds @STEP@ in place of
 * the step number), and measures from just before each POST to each subscriber's message. Prints microseconds: p50,
 * p99, p99.9, maximum; then the number of messages received and expected. */
#define _GNU_SOURCE
#include "common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct subscriber {
    SSL *ssl;
    struct frames frames;
};

static double *sent, *delays;
static size_t delay_count, steps;

static void pong(void *owner) { send_frame(((struct subscriber *)owner)->ssl, 10, "", 0); }

static void message(void *owner, struct frames *frames) {
    (void)owner;
    frames->begin[frames->begin_count < sizeof frames->begin ? frames->begin_count : sizeof frames->begin - 1] = 0;
    char *at = strstr((char *)frames->begin, "\"step\":");
    if (!at) return;
    size_t step = strtoul(at + 7, NULL, 10);
    if (step < steps && sent[step] > 0) delays[delay_count++] = now() - sent[step];
}

static int compare(const void *left, const void *right) {
    double one = *(const double *)left, other = *(const double *)right;
    return one < other ? -1 : one > other;
}

/* True if a message was received. */
static int read_all(SSL *ssl, struct subscriber *subscriber) {
    static unsigned char buffer[65536];
    for (int any = 0;; any = 1) {
        int got = SSL_read(ssl, buffer, sizeof buffer);
        if (got <= 0) {
            if (SSL_get_error(ssl, got) == SSL_ERROR_WANT_READ) return any;
            fail("a connection was lost");
        }
        if (subscriber) take_frames(&subscriber->frames, buffer, (size_t)got, subscriber, message, pong);
    }
}

int main(int count, char **arguments) {
    if (count != 7) fail("usage: latency PORT TOKEN SUBSCRIBERS RATE SECONDS TEMPLATE");
    int port = atoi(arguments[1]), number = atoi(arguments[3]);
    double rate = atof(arguments[4]), seconds = atof(arguments[5]);
    steps = (size_t)(rate * seconds);
    sent = calloc(steps, sizeof *sent);
    delays = calloc(steps * (size_t)number, sizeof *delays);
    FILE *file = fopen(arguments[6], "rb");
    if (!file) fail("cannot read %s", arguments[6]);
    static char template[4 << 20], body[4 << 20], request[4 << 20];
    template[fread(template, 1, sizeof template - 1, file)] = 0;
    char *mark = strstr(template, "@STEP@");
    if (!mark) fail("no @STEP@ in the template");

    SSL_CTX *context = client_context();
    int poll = epoll_create1(0);
    struct subscriber *all = calloc((size_t)number, sizeof *all);
    for (int index = 0; index < number; index++) {
        unsigned char rest[4096];
        all[index].ssl = connect_tls(context, port, NULL);
        size_t left = upgrade(all[index].ssl, arguments[2], 0, rest, sizeof rest);
        take_frames(&all[index].frames, rest, left, &all[index], NULL, pong);
        fcntl(SSL_get_fd(all[index].ssl), F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[index]};
        epoll_ctl(poll, EPOLL_CTL_ADD, SSL_get_fd(all[index].ssl), &event);
    }
    SSL *poster = connect_tls(context, port, NULL);
    fcntl(SSL_get_fd(poster), F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poll, EPOLL_CTL_ADD, SSL_get_fd(poster), &event);

    double begin = now();
    for (size_t step = 0; step < steps || (delay_count < steps * (size_t)number && now() < begin + seconds + 5);) {
        double due = begin + (double)step / rate;
        if (step < steps && now() >= due) {
            int length = snprintf(body, sizeof body, "%.*s%zu%s", (int)(mark - template), template, step, mark + 6);
            int head = snprintf(request, sizeof request,
                                "POST /api/v1/metrics/layerwise HTTP/1.1\r\nHost: localhost\r\n"
                                "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
                                "Content-Length: %d\r\n\r\n", arguments[2], length);
            memcpy(request + head, body, (size_t)length);
            sent[step++] = now();
            for (int at = 0, whole = head + length; at < whole;) {
                int written = SSL_write(poster, request + at, whole - at);
                if (written > 0) at += written;
                else if (SSL_get_error(poster, written) != SSL_ERROR_WANT_WRITE) fail("posting failed");
            }
        }
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, step < steps && due - now() > 0.001 ? 1 : 0);
        for (int index = 0; index < ready; index++) {
            struct subscriber *one = events[index].data.ptr;
            read_all(one ? one->ssl : poster, one);
        }
    }
    if (delay_count == 0) fail("no message came");
    qsort(delays, delay_count, sizeof *delays, compare);
    printf("%.0f %.0f %.0f %.0f %zu %zu\n", delays[delay_count / 2] * 1e6, delays[delay_count * 99 / 100] * 1e6,
           delays[delay_count * 999 / 1000] * 1e6, delays[delay_count - 1] * 1e6, delay_count,
           steps * (size_t)number);
}
