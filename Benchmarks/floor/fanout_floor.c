/* fanout_floor PORT CERT KEY COUNT BYTES: the floor of a broadcast. Accepts COUNT WebSocket subscribers over TLS, and for
 * each line of standard input sends each of them one ready frame of BYTES random bytes with SSL_write. At the end of
 * the input prints the CPU per sent message in microseconds. */
#include "../clients/common.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* All clients send the same key, so the response is constant. */
static const char *switching =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

int main(int count, char **arguments) {
    if (count != 6) fail("usage: fanout_floor PORT CERT KEY COUNT BYTES");
    int number = atoi(arguments[4]), one = 1;
    size_t size = strtoul(arguments[5], NULL, 10);
    SSL_CTX *context = server_context(arguments[2], arguments[3]);
    int listener = listen_tcp(atoi(arguments[1]));
    puts("listening");
    fflush(stdout);

    unsigned char *frame = malloc(size + 4);
    frame[0] = 0xC1;
    frame[1] = 126;
    frame[2] = (unsigned char)(size >> 8);
    frame[3] = (unsigned char)size;
    RAND_bytes(frame + 4, (int)size);
    SSL **all = calloc((size_t)number, sizeof *all);
    for (int index = 0; index < number; index++) {
        char request[4096];
        int socket_ = accept(listener, NULL, NULL);
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        all[index] = SSL_new(context);
        SSL_set_fd(all[index], socket_);
        if (SSL_accept(all[index]) != 1 || SSL_read(all[index], request, sizeof request) <= 0) fail("no request");
        write_all(all[index], switching, strlen(switching));
        write_all(all[index], "\x81\x02{}", 4);
    }
    double begin = processor_time();
    long sent = 0;
    for (char line[16]; fgets(line, sizeof line, stdin);) {
        for (int index = 0; index < number; index++) write_all(all[index], frame, size + 4);
        sent += number;
    }
    printf("%.2f\n", (processor_time() - begin) / (double)sent * 1e6);
}
