/* What the load clients and the floors share: TLS, a WebSocket upgrade, frames, clocks. Errors end the program with a
 * line. */
#ifndef COMMON_H
#define COMMON_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seconds of the monotonic clock. */
double now(void);
/* Seconds of processor time that this process has used. */
double processor_time(void);

/* A context for clients that trusts anybody: these programs measure, on this machine. */
SSL_CTX *client_context(void);
/* Opens a TCP connection to 127.0.0.1. */
int connect_tcp(int port);
/* Listens on a TCP port of 127.0.0.1, and a context for TLS there: what the floors need. */
int listen_tcp(int port);
SSL_CTX *server_context(const char *certificate, const char *key);
/* Opens a TLS connection; `session` is resumed when it is given. */
SSL *connect_tls(SSL_CTX *context, int port, SSL_SESSION *session);
void write_all(SSL *ssl, const void *bytes, size_t count);

/* Upgrades to a WebSocket at /ws; offers permessage-deflate or not. What came after the head is kept in `rest` (at most
 * `room` bytes), and its length is returned. */
size_t upgrade(SSL *ssl, const char *token, int deflate, unsigned char *rest, size_t room);
/* Sends a short text message or control frame, masked with zeros. */
void send_frame(SSL *ssl, int opcode, const void *payload, size_t count);

/* Reads frames from any cut of the bytes: payloads are counted, their beginnings kept. */
struct frames {
    unsigned char head[14];
    size_t head_count;
    uint64_t left;
    int opcode, is_final, in_payload;
    /* The beginning of the message that is under way. */
    unsigned char begin[160];
    size_t begin_count;
    uint64_t messages, bytes;
};

/* Takes bytes in; `on_message` is called for each whole data message, `on_ping` for each ping. */
void take_frames(struct frames *frames, const unsigned char *bytes, size_t count, void *owner,
                 void (*on_message)(void *owner, struct frames *frames), void (*on_ping)(void *owner));

#endif
