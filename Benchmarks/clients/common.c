#define _GNU_SOURCE
#include "common.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static double clock_seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double now(void) { return clock_seconds(CLOCK_MONOTONIC); }
double processor_time(void) { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

SSL_CTX *client_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) fail("no TLS context");
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    return context;
}

int connect_tcp(int port) {
    int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket_ < 0) fail("no socket: raise the limit of open files");
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(socket_, (struct sockaddr *)&address, sizeof address)) fail("cannot connect to port %d", port);
    return socket_;
}

int listen_tcp(int port) {
    int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(socket_, (struct sockaddr *)&address, sizeof address) || listen(socket_, 1024))
        fail("cannot listen on port %d", port);
    return socket_;
}

SSL_CTX *server_context(const char *certificate, const char *key) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        fail("cannot read certificate and key");
    return context;
}

SSL *connect_tls(SSL_CTX *context, int port, SSL_SESSION *session) {
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, connect_tcp(port));
    SSL_set_tlsext_host_name(ssl, "localhost");
    if (session) SSL_set_session(ssl, session);
    if (SSL_connect(ssl) != 1) fail("the TLS handshake failed");
    return ssl;
}

void write_all(SSL *ssl, const void *bytes, size_t count) {
    const char *at = bytes;
    while (count > 0) {
        int written = SSL_write(ssl, at, (int)count);
        if (written <= 0) fail("writing failed");
        at += written;
        count -= (size_t)written;
    }
}

size_t upgrade(SSL *ssl, const char *token, int deflate, unsigned char *rest, size_t room) {
    char text[8192];
    int length = snprintf(text, sizeof text,
                          "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                          "Authorization: Bearer %s\r\n%s\r\n",
                          token, deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    write_all(ssl, text, (size_t)length);
    size_t count = 0;
    for (;;) {
        int got = SSL_read(ssl, text + count, (int)(sizeof text - 1 - count));
        if (got <= 0) fail("the server closed during the upgrade");
        count += (size_t)got;
        text[count] = 0;
        char *end = strstr(text, "\r\n\r\n");
        if (!end) continue;
        if (strncmp(text, "HTTP/1.1 101", 12)) fail("no upgrade: %.*s", (int)(end - text), text);
        if (deflate && !strcasestr(text, "permessage-deflate")) fail("the server compresses no messages");
        size_t left = count - (size_t)(end + 4 - text);
        if (left > room) fail("too much came with the upgrade");
        memcpy(rest, end + 4, left);
        return left;
    }
}

void send_frame(SSL *ssl, int opcode, const void *payload, size_t count) {
    unsigned char frame[6 + 125] = {(unsigned char)(0x80 | opcode), (unsigned char)(0x80 | count)};
    if (count > 125) fail("the message is too long for this client");
    memcpy(frame + 6, payload, count);
    write_all(ssl, frame, 6 + count);
}

static size_t head_size(const struct frames *frames) {
    int length = frames->head_count > 1 ? frames->head[1] & 127 : 0;
    return length == 126 ? 4 : length == 127 ? 10 : 2;
}

void take_frames(struct frames *frames, const unsigned char *bytes, size_t count, void *owner,
                 void (*on_message)(void *, struct frames *), void (*on_ping)(void *)) {
    while (count > 0 || (frames->in_payload && frames->left == 0)) {
        if (!frames->in_payload) {
            frames->head[frames->head_count++] = *bytes++;
            count--;
            if (frames->head_count < 2 || frames->head_count < head_size(frames)) continue;
            int opcode = frames->head[0] & 15;
            uint64_t length = frames->head[1] & 127;
            if (head_size(frames) > 2) {
                length = 0;
                for (size_t index = 2; index < head_size(frames); index++) length = length << 8 | frames->head[index];
            }
            if (opcode == 8) fail("the server closed the WebSocket");
            frames->is_final = frames->head[0] >> 7;
            if (opcode == 1 || opcode == 2) frames->begin_count = 0;
            frames->opcode = opcode;
            frames->left = length;
            frames->head_count = 0;
            frames->in_payload = 1;
        }
        size_t part = count < frames->left ? count : (size_t)frames->left;
        if (frames->opcode < 8) {
            size_t keep = sizeof frames->begin - frames->begin_count;
            if (keep > part) keep = part;
            memcpy(frames->begin + frames->begin_count, bytes, keep);
            frames->begin_count += keep;
            frames->bytes += part;
        }
        bytes += part;
        count -= part;
        frames->left -= part;
        if (frames->left > 0) continue;
        frames->in_payload = 0;
        if (frames->opcode == 9 && on_ping) on_ping(owner);
        if (frames->opcode < 8 && frames->is_final) {
            frames->messages++;
            if (on_message) on_message(owner, frames);
        }
    }
}
