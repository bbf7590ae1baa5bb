"""One kept-alive HTTP or HTTPS connection to the server, with typed failures."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import http.client
import importlib
import json
import socket
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Optional

from .._version import __version__
from ..errors import SettingError
from .trust import colons, explain, tls_context

# A look-up of a name imports it. On the sending thread that import may meet a fork, and then stays locked in the child.
importlib.import_module("encodings.idna")

_LONGEST_ANSWER = 1_000_000
_GZIP_FROM = 1_000


class Unreachable(Exception):
    """No answer came: refused, reset, timed out, no such name. It may pass."""


class Stale(Unreachable):
    """The kept-alive connection had been closed, most likely because it was idle. A new one may work at once."""


class Untrusted(Exception):
    """The server is not the one that the client trusts; nothing was sent. The message has the remedy."""


@dataclass
class Answer:
    """Status, headers (names in lower case) and body of a response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one if it is not an object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def message(self) -> str:
        """The error that the body describes, in one line."""
        detail = self.json().get("detail")
        if isinstance(detail, dict):
            return str(detail.get("message") or detail.get("error") or "")[:500]
        if isinstance(detail, list) and detail and isinstance(detail[0], dict):
            place = ".".join(str(part) for part in detail[0].get("loc", []))
            return f"{place}: {detail[0].get('msg', detail[0].get('type', ''))}"[:500]
        return detail[:500] if isinstance(detail, str) else ""

    @property
    def retry_after(self) -> Optional[float]:
        """Seconds to wait, of a `Retry-After` in seconds or as a date."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time()) if text else None
        except (TypeError, ValueError):
            return None


class Transport:
    """Speaks to one server. Used by one thread.

    Args:
        url: `http://` or `https://`, with a path where the server is served below one.
        token: sent as a bearer token; it appears in no message.
        ca, fingerprint: see `trust`; the fingerprint is 64 hexadecimal digits.

    Raises:
        SettingError: if the address or `ca` is unusable.
    """

    def __init__(
        self, url: str, token: Optional[str] = None, ca: Optional[str] = None, fingerprint: Optional[str] = None
    ) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SettingError(f"{_clean(url)!r} is not a valid address: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingError(
                f"{_clean(url)!r} is not a valid address: it must begin with http:// or https:// and name a host, as "
                "in https://monitor.example:8443 (url= or NN_MONITOR_URL)"
            )
        self.secure = parts.scheme == "https"
        if fingerprint and not self.secure:
            raise SettingError(f"a fingerprint requires an address with https://, not {_clean(url)!r}")
        self.host = parts.hostname
        self.port = port or (443 if self.secure else 80)
        self.base = parts.path.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.url = f"{parts.scheme}://{host}" + (f":{port}" if port else "") + self.base
        self._token = token
        self._fingerprint = fingerprint
        self._context = tls_context(ca, fingerprint) if self.secure else None
        self._connection: Optional[http.client.HTTPConnection] = None
        #: The certificate of the last handshake, DER; None without TLS.
        self.certificate: Optional[bytes] = None
        #: The end of its validity as text, where its chain was checked.
        self.valid_until: Optional[str] = None

    def request(
        self, method: str, path: str, body: Optional[bytes] = None, content_type: str = "application/json",
        timeout: float = 30.0, longest: int = _LONGEST_ANSWER,
    ) -> Answer:
        """Sends a request below the address's path and reads the answer, of which it keeps `longest` bytes.

        Where no answer comes, the server may or may not have handled the request.

        Raises:
            Stale, Unreachable, Untrusted
        """
        headers = self._headers("application/json")
        if body is not None:
            headers["Content-Type"] = content_type
            if len(body) >= _GZIP_FROM:
                body = gzip.compress(body, 1)
                headers["Content-Encoding"] = "gzip"
        reused = self._connection is not None
        try:
            return self._exchange(method, self.base + path, body, headers, timeout, longest)
        except _STALE as error:
            self.close()
            raise (Stale if reused else Unreachable)(_reason(error)) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(_reason(error)) from error
        except BaseException:
            self.close()
            raise

    def follow(self, path: str, headers: dict[str, str], timeout: float) -> tuple[Answer, Iterator[str]]:
        """Requests Server-Sent Events on a new connection. Returns the head, and the lines of a body that does not end.

        Args:
            timeout: seconds without a line after which the connection counts as broken.

        Raises:
            Unreachable, Untrusted: also while the lines are read, where the connection breaks.
        """
        self.close()
        try:
            connection = self._connection = self._connect(timeout)
            connection.request("GET", self.base + path, headers={**self._headers("text/event-stream"), **headers})
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            body = b"" if response.status == 200 else response.read(_LONGEST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(_reason(error)) from error
        return Answer(response.status, names, body), self._lines(response)

    def _lines(self, response: http.client.HTTPResponse) -> Iterator[str]:
        try:
            while not response.closed:
                line = response.readline()
                if not line:
                    break
                yield line.decode("utf-8", "replace").rstrip("\r\n")
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unreachable(_reason(error)) from error
        finally:
            self.close()

    def _headers(self, accepted: str) -> dict[str, str]:
        headers = {"User-Agent": f"nnmonitor-python/{__version__}", "Accept": accepted}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def close(self) -> None:
        """Closes the connection; the next request opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _exchange(
        self, method: str, path: str, body: Optional[bytes], headers: dict[str, str], timeout: float, longest: int
    ) -> Answer:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect(timeout)
        elif connection.sock is not None:
            connection.sock.settimeout(timeout)
        try:
            connection.request(method, path, body, headers)
        except OSError:
            # A server may answer and close before it has read the whole body, as with 413: the answer counts.
            try:
                response = connection.getresponse()
            except (OSError, http.client.HTTPException):
                response = None
            if response is None:
                raise
            self._connection = None
        else:
            response = connection.getresponse()
        data = response.read(longest + 1)
        names = {name.lower(): value for name, value in response.getheaders()}
        if len(data) > longest or response.will_close or self._connection is None:
            self._connection = None
            connection.close()
        return Answer(response.status, names, data[:longest])

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._context is not None:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self._context)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        # Only this method connects: http.client by itself would not compare the fingerprint.
        connection.auto_open = 0
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise Untrusted(explain(error, self.host)) from error
        except BaseException:
            connection.close()
            raise
        # Small requests would otherwise wait for the acknowledgement of the one before.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            assert isinstance(connection.sock, ssl.SSLSocket)
            self.certificate = connection.sock.getpeercert(binary_form=True)
            self.valid_until = str((connection.sock.getpeercert() or {}).get("notAfter", "")) or None
            presented = hashlib.sha256(self.certificate or b"").hexdigest()
            if self._fingerprint and presented != self._fingerprint:
                connection.close()
                raise Untrusted(
                    f"the server's certificate has the fingerprint {colons(presented)}, not "
                    f"{colons(self._fingerprint)}: if its certificate was renewed, copy the new one from the server's "
                    "banner; otherwise the connection is intercepted. Nothing was sent"
                )
        return connection


#: The errors of a request on a connection that the server had closed.
_STALE = (http.client.RemoteDisconnected, ConnectionError, http.client.CannotSendRequest, ssl.SSLEOFError)


def _clean(url: str) -> str:
    """The address without the parts that may be secret: user, password, query."""
    return url.split("?")[0].rsplit("@", 1)[-1] if "@" in url else url.split("?")[0]


def _reason(error: BaseException) -> str:
    if isinstance(error, (TimeoutError, socket.timeout)):
        return "no response in time"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server closed the connection without a response"
    if isinstance(error, socket.gaierror):
        return f"the host name cannot be resolved ({error.strerror})"
    if isinstance(error, ssl.SSLError):
        if "WRONG_VERSION_NUMBER" in str(error) or "HTTP_REQUEST" in str(error):
            return "the server does not speak TLS on this port: try http:// instead of https://"
        return f"TLS failed ({error.reason or error})"
    text = getattr(error, "strerror", None) or str(error)
    return text or type(error).__name__
