/* handshakes PORT SECONDS full|resumed: one TLS 1.3 handshake after the other. Prints the rate per second, and how many
 * were resumed. */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_SESSION *ticket;

static int keep(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = session;
    return 1;
}

/* A whole exchange: the server sends its tickets before the response. */
static void ask(SSL *ssl) {
    char buffer[4096];
    const char *request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    write_all(ssl, request, strlen(request));
    while (SSL_read(ssl, buffer, sizeof buffer) > 0) {}
}

static void end(SSL *ssl) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int socket_ = SSL_get_fd(ssl);
    /* A reset leaves no port in TIME_WAIT; ports are limited. */
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(socket_);
    /* Without this OpenSSL marks the session as not resumable. */
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
}

int main(int count, char **arguments) {
    if (count != 4) fail("usage: handshakes PORT SECONDS full|resumed");
    int port = atoi(arguments[1]), resumed = !strcmp(arguments[3], "resumed");
    SSL_CTX *context = client_context();
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keep);
    SSL *first = connect_tls(context, port, NULL);
    ask(first);
    end(first);
    if (!ticket) fail("the server gave no ticket");
    SSL_CTX_sess_set_new_cb(context, NULL);
    double begin = now(), seconds = atof(arguments[2]);
    size_t all = 0, reused = 0;
    while (now() < begin + seconds) {
        /* OpenSSL uses a TLS 1.3 session once; a copy counts as another session. */
        SSL_SESSION *session = resumed ? SSL_SESSION_dup(ticket) : NULL;
        SSL *ssl = connect_tls(context, port, session);
        SSL_SESSION_free(session);
        reused += (size_t)SSL_session_reused(ssl);
        end(ssl);
        all++;
    }
    printf("%.1f %zu %zu\n", (double)all / (now() - begin), reused, all);
}
