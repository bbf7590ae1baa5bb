"""Tokens of the guarded test servers, and requests that present them."""

import hashlib
from urllib.parse import urljoin, urlsplit

import requests

from .libraries import session

TOKENS = {name: f"{name}-token-4f9c2a7e1b" for name in ("trainer", "viewer", "both", "boss")}
SCOPES = {"trainer": "ingest", "viewer": "read", "both": "ingest,read", "boss": "admin,ingest,read"}


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def tokens_file(folder, names=SCOPES) -> str:
    path = folder / "tokens"
    path.write_text("".join(
        f"{name}:{SCOPES[name]}:{digest(TOKENS[name])}\n" for name in names))
    path.chmod(0o600)
    return str(path)


def bearer(name: str) -> dict:
    return {"Authorization": f"Bearer {TOKENS[name]}"}


def call(server, method: str, path: str, token: str = "", **options) -> requests.Response:
    """One request without following redirects; `token` is a name of the tokens file."""
    with session(server, TOKENS.get(token, "")) as client:
        return client.request(method, server.url + path, allow_redirects=False, timeout=20, **options)


def led_to(answer: requests.Response) -> str:
    """The path, query and fragment to which a redirect leads. `Location` must be relative, so that a proxy may strip a
    prefix."""
    location = answer.headers["Location"]
    assert location.startswith(("./", "../"))
    target, own = urlsplit(urljoin(answer.url, location)), urlsplit(answer.url)
    assert (target.scheme, target.netloc) == (own.scheme, own.netloc)
    return target._replace(scheme="", netloc="").geturl()


def log_in(server, token: str = "both") -> tuple[str, str]:
    """Logs in as a browser does; returns the Cookie header and the whole Set-Cookie."""
    answer = call(server, "POST", "/login", data={"token": TOKENS[token]})
    assert answer.status_code == 303
    assert led_to(answer) == "/"
    whole = answer.headers["Set-Cookie"]
    return whole.split(";")[0], whole
