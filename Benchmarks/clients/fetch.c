/* fetch PORT TOKEN PATH: reads PATH over HTTPS and discards it. Prints milliseconds to the first byte
 * of the response and to the last, and its size in bytes. */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    if (count != 4) fail("usage: fetch PORT TOKEN PATH");
    static char buffer[1 << 16];
    SSL *ssl = connect_tls(client_context(), atoi(arguments[1]), NULL);
    int length = snprintf(buffer, sizeof buffer,
                          "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n",
                          arguments[3], arguments[2]);
    double begin = now(), first = 0;
    size_t bytes = 0;
    write_all(ssl, buffer, (size_t)length);
    for (;;) {
        int got = SSL_read(ssl, buffer, sizeof buffer);
        if (got <= 0) break;
        if (first == 0) {
            first = now() - begin;
            if (strncmp(buffer, "HTTP/1.1 200", 12)) fail("%.*s", 40, buffer);
        }
        bytes += (size_t)got;
    }
    printf("%.3f %.3f %zu\n", first * 1000, (now() - begin) * 1000, bytes);
}
