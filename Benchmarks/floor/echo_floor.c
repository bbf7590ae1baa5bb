/* echo_floor PORT CERT KEY: takes HTTP requests with a counted body over TLS 1.2 and 1.3, on kept-alive connections, a
 * thread for each, reads them to their end and answers 202 with a few bytes; it parses only the length. Prints "ready"
 * when it listens: what a server that takes steps in over HTTPS cannot do without. Ends with its standard input. */
#define _GNU_SOURCE
#include "../clients/common.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *context;
static const char *answer =
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n"
    "{\"status\":\"accepted\",\"run_id\":\"bench\"}";

static void *serve(void *argument) {
    SSL *ssl = SSL_new(context);
    char bytes[32768 + 1];
    SSL_set_fd(ssl, (int)(intptr_t)argument);
    for (size_t count = 0; SSL_accept(ssl) == 1;) {
        int got = SSL_read(ssl, bytes + count, (int)(sizeof bytes - 1 - count));
        if (got <= 0) break;
        count += (size_t)got;
        bytes[count] = 0;
        char *end = strstr(bytes, "\r\n\r\n");
        if (!end) continue;
        char *field = strcasestr(bytes, "\r\ncontent-length:");
        size_t head = (size_t)(end + 4 - bytes), body = field ? strtoul(field + 17, NULL, 10) : 0;
        for (size_t left = body > count - head ? body - (count - head) : 0; left > 0; left -= (size_t)got) {
            got = SSL_read(ssl, bytes, (int)(left < sizeof bytes - 1 ? left : sizeof bytes - 1));
            if (got <= 0) goto done;
        }
        if (SSL_write(ssl, answer, (int)strlen(answer)) <= 0) break;
        count = 0;
    }
done:
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
    return NULL;
}

static void *accept_all(void *argument) {
    int one = 1;
    for (;;) {
        pthread_t thread;
        int socket_ = accept((int)(intptr_t)argument, NULL, NULL);
        if (socket_ < 0) fail("cannot accept");
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)socket_)) fail("no thread");
        pthread_detach(thread);
    }
}

int main(int count, char **arguments) {
    if (count != 4) fail("usage: echo_floor PORT CERT KEY");
    signal(SIGPIPE, SIG_IGN);
    context = server_context(arguments[2], arguments[3]);
    int listener = listen_tcp(atoi(arguments[1]));
    puts("ready");
    fflush(stdout);
    pthread_t accepting;
    if (pthread_create(&accepting, NULL, accept_all, (void *)(intptr_t)listener)) fail("no thread");
    while (getchar() != EOF) {}
    return 0;
}
