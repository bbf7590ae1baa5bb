"""A TCP proxy before the real server, which cuts connections in the middle of what the client sends."""

from __future__ import annotations

import socket
import struct
import threading


class CuttingProxy:
    """Passes bytes on unread, so that TLS is between client and server.

    `cuts` holds, for the connections to come, after how many bytes from the client each one is reset; None and those
    after the last pass whole.
    """

    def __init__(self, port, cuts):
        self.target = port
        self.cuts = list(cuts)
        #: Connections that were reset, with the bytes that had been passed on.
        self.cut = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def close(self):
        self._listener.close()
        for one in self._sockets:
            one.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target), 60)
            except OSError:
                return
            self._sockets += [client, server]
            limit = self.cuts.pop(0) if self.cuts else None
            threading.Thread(target=self._to_server, args=(client, server, limit), daemon=True).start()
            threading.Thread(target=self._to_client, args=(client, server), daemon=True).start()

    def _to_server(self, client, server, limit):
        passed = 0
        try:
            while data := client.recv(65536 if limit is None else min(65536, limit - passed)):
                server.sendall(data)
                passed += len(data)
                if passed == limit:
                    self.cut.append(passed)
                    reset(client, server)
                    return
            server.shutdown(socket.SHUT_WR)
        except OSError:
            reset(client, server)

    @staticmethod
    def _to_client(client, server):
        try:
            while data := server.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def reset(*sockets):
    """Closes them with RST."""
    for one in sockets:
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Wakes the thread that reads it: a descriptor that is in use stays open.
            one.shutdown(socket.SHUT_RD)
            one.close()
        except OSError:
            pass
