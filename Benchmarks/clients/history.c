/* history PORT TOKEN RUN lite|full [deflate]: requests a run's history by WebSocket. Prints milliseconds to the first
 * byte and to the last, and its size on the wire in bytes. */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    if (count < 5) fail("usage: history PORT TOKEN RUN lite|full [deflate]");
    static unsigned char buffer[1 << 16];
    struct frames frames = {0};
    SSL *ssl = connect_tls(client_context(), atoi(arguments[1]), NULL);
    size_t left = upgrade(ssl, arguments[2], count > 5, buffer, sizeof buffer);
    take_frames(&frames, buffer, left, NULL, NULL, NULL);
    while (frames.messages == 0) {
        int got = SSL_read(ssl, buffer, sizeof buffer);
        if (got <= 0) fail("no listing came");
        take_frames(&frames, buffer, (size_t)got, NULL, NULL, NULL);
    }
    char text[125];
    int length = snprintf(text, sizeof text, "{\"action\":\"subscribe_run\",\"run_id\":\"%s\",\"lite\":%s}", arguments[3],
                          strcmp(arguments[4], "lite") ? "false" : "true");
    frames.messages = frames.bytes = 0;
    double begin = now(), first = 0;
    send_frame(ssl, 1, text, (size_t)length);
    while (frames.messages == 0) {
        int got = SSL_read(ssl, buffer, sizeof buffer);
        if (got <= 0) fail("the history broke off");
        take_frames(&frames, buffer, (size_t)got, NULL, NULL, NULL);
        if (first == 0 && frames.bytes > 0) first = now() - begin;
    }
    printf("%.3f %.3f %lu\n", first * 1000, (now() - begin) * 1000, frames.bytes);
}
