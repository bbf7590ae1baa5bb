/* Shared by the load clients and the floors: TLS, WebSocket upgrade, frames, clocks. An error prints one line and ends the
 * program. */
#ifndef COMMON_H
#define COMMON_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seconds of the monotonic clock. */
double now(void);
/* Seconds of CPU used by this process. */
double processor_time(void);

/* A client context that verifies no certificate: these programs measure on one machine only. */
SSL_CTX *client_context(void);
/* Opens a TCP connection to 127.0.0.1. */
int connect_tcp(int port);
/* Listens on a TCP port of 127.0.0.1 and makes a server context; used by the floors. */
int listen_tcp(int port);
SSL_CTX *server_context(const char *certificate, const char *key);
/* Opens a TLS connection; resumes `session` unless it is NULL. */
SSL *connect_tls(SSL_CTX *context, int port, SSL_SESSION *session);
void write_all(SSL *ssl, const void *bytes, size_t count);

/* Upgrades to a WebSocket at /ws; offers permessage-deflate if asked. Copies bytes received after the head to `rest` (at
 * most `room` bytes) and returns their count. */
size_t upgrade(SSL *ssl, const char *token, int deflate, unsigned char *rest, size_t room);
/* Sends a short text message or control frame, masked with zeros. */
void send_frame(SSL *ssl, int opcode, const void *payload, size_t count);

/* Parses frames from a byte stream: counts payloads and keeps their first bytes. */
struct frames {
    unsigned char head[14];
    size_t head_count;
    uint64_t left;
    int opcode, is_final, in_payload;
    /* The first bytes of the current message. */
    unsigned char begin[160];
    size_t begin_count;
    uint64_t messages, bytes;
};

/* Parses bytes; calls `on_message` for each whole data message and `on_ping` for each ping. */
void take_frames(struct frames *frames, const unsigned char *bytes, size_t count, void *owner,
                 void (*on_message)(void *owner, struct frames *frames), void (*on_ping)(void *owner));

#endif
