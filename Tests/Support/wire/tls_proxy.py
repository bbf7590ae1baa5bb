"""A proxy that terminates TLS and forwards the bytes, like a reverse proxy that leaves Host unchanged."""

import contextlib
import socket
import ssl
import threading


class TLSProxy:
    """Listens on a port of its own for as long as `with` lasts; each connection gets one to the server."""

    def __init__(self, server, certificate):
        self.server = server
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, plain: socket.socket):
        with contextlib.suppress(OSError):
            client = self._context.wrap_socket(plain, server_side=True)
            upstream = socket.create_connection(("127.0.0.1", self.server.port))
            self._open += [client, upstream]
            threading.Thread(target=self._pass, args=(client, upstream), daemon=True).start()
            self._pass(upstream, client)

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
