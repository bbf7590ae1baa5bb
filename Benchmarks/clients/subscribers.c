/* subscribers PORT COUNT TOKEN [deflate]: opens COUNT WebSocket subscribers, prints "ready" when each has received its
 * first message, counts messages without inflating them, and prints at the end of standard input: messages, bytes on
 * the wire, seconds of its own CPU. */
#include "common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

struct subscriber {
    SSL *ssl;
    struct frames frames;
};

static void pong(void *owner) { send_frame(((struct subscriber *)owner)->ssl, 10, "", 0); }

static void read_all(struct subscriber *subscriber, int blocking) {
    static unsigned char buffer[65536];
    do {
        int got = SSL_read(subscriber->ssl, buffer, sizeof buffer);
        if (got <= 0) {
            if (SSL_get_error(subscriber->ssl, got) == SSL_ERROR_WANT_READ) return;
            fail("a connection was lost");
        }
        take_frames(&subscriber->frames, buffer, (size_t)got, subscriber, NULL, pong);
    } while (!blocking);
}

int main(int count, char **arguments) {
    if (count < 4) fail("usage: subscribers PORT COUNT TOKEN [deflate]");
    int port = atoi(arguments[1]), number = atoi(arguments[2]), deflate = count > 4;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    SSL_CTX *context = client_context();
    struct subscriber *all = calloc((size_t)number, sizeof *all);
    int poll = epoll_create1(0);
    for (int index = 0; index < number; index++) {
        struct subscriber *one = &all[index];
        unsigned char rest[4096];
        one->ssl = connect_tls(context, port, NULL);
        size_t left = upgrade(one->ssl, arguments[3], deflate, rest, sizeof rest);
        take_frames(&one->frames, rest, left, one, NULL, pong);
        while (one->frames.messages == 0) read_all(one, 1);
        fcntl(SSL_get_fd(one->ssl), F_SETFL, O_NONBLOCK);
        one->frames.messages = one->frames.bytes = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
        epoll_ctl(poll, EPOLL_CTL_ADD, SSL_get_fd(one->ssl), &event);
    }
    struct epoll_event input = {.events = EPOLLIN | EPOLLHUP, .data.ptr = NULL};
    epoll_ctl(poll, EPOLL_CTL_ADD, 0, &input);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, -1);
        for (int index = 0; index < ready; index++) {
            struct subscriber *one = events[index].data.ptr;
            if (one) {
                read_all(one, 0);
                continue;
            }
            uint64_t messages = 0, bytes = 0;
            for (int other = 0; other < number; other++) {
                messages += all[other].frames.messages;
                bytes += all[other].frames.bytes;
            }
            char command[16];
            if (read(0, command, sizeof command) <= 0) {
                printf("%lu %lu %.6f\n", messages, bytes, processor_time());
                return 0;
            }
            /* A line on standard input requests the current count. */
            printf("%lu\n", messages);
            fflush(stdout);
        }
    }
}
