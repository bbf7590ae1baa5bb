"""Certificates and fingerprints that the client trusts, and the token that it presents."""

from __future__ import annotations

import os
import re
import ssl
import stat
from pathlib import Path
from typing import Optional

from ..errors import SettingError

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


def token_from(argument: Optional[str], file: Optional[str] = None) -> Optional[str]:
    """The token: the argument, else `NN_MONITOR_TOKEN`, else a file's first line.

    The file is the argument, `NN_MONITOR_TOKEN_FILE`, or `nnmonitor/token` in the user's configuration directory where
    that exists. Only its owner may be able to read it.

    Raises:
        SettingError: if a token or its file is unusable. The message never contains the token.
    """
    if argument:
        return _checked(argument, "token=")
    if not file and os.environ.get("NN_MONITOR_TOKEN"):
        return _checked(os.environ["NN_MONITOR_TOKEN"], "NN_MONITOR_TOKEN")
    named = file or os.environ.get("NN_MONITOR_TOKEN_FILE")
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    path = Path(named) if named else Path(config) / "nnmonitor" / "token"
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        if named:
            raise SettingError(f"the token file {path} cannot be read: {error.strerror}") from error
        return None
    with os.fdopen(descriptor, "rb") as opened:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o077:
            raise SettingError(
                f"the token file {path} can be read by others (mode {mode:04o}), so it is not used: "
                f"run `chmod 600 {path}`, and make a new token if others may have seen it"
            )
        text = opened.read(8192).decode("utf-8", "replace").strip()
    return _checked(text, str(path))


def _checked(token: str, source: str) -> str:
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        raise SettingError(
            f"the token from {source} is empty or has characters that a token cannot contain: copy it again"
        )
    return token


def fingerprint_from(text: Optional[str]) -> Optional[str]:
    """64 hexadecimal digits in lower case from a SHA-256 fingerprint in any usual spelling.

    Raises:
        SettingError: if it is none.
    """
    if not text:
        return None
    digits = re.sub(r"^sha-?256[:=\s]*(fingerprint[:=\s]*)?", "", text.strip(), flags=re.IGNORECASE)
    digits = re.sub(r"[:\s]", "", digits).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise SettingError(
            f"fingerprint {text!r} is not a SHA-256 fingerprint (64 hexadecimal digits, colons allowed): "
            "copy the one in the server's banner"
        )
    return digits


def colons(digits: str) -> str:
    """A fingerprint as openssl and the server's banner print it."""
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2)).upper()


def tls_context(ca: Optional[str], fingerprint: Optional[str]) -> ssl.SSLContext:
    """A context that trusts the system's authorities, or those in the file (or directory) `ca`.

    With a fingerprint and without `ca`, the chain is not checked: the fingerprint is compared after the handshake, and
    before anything is sent.

    Raises:
        SettingError: if `ca` cannot be read.
    """
    try:
        if ca and os.path.isdir(ca):
            context = ssl.create_default_context(capath=ca)
        else:
            context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"ca {ca!r} cannot be used: {getattr(error, 'strerror', None) or error}. It must be a PEM file with the "
            "certificate of the authority, or with the server's own"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if fingerprint and not ca:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def explain(error: ssl.SSLCertVerificationError, host: str) -> str:
    """One sentence about a certificate that was not trusted, with the remedy."""
    code = getattr(error, "verify_code", 0)
    message = getattr(error, "verify_message", "") or str(error)
    remedies = {
        10: "renew the server's certificate",
        9: "check the clock of this machine: the certificate is not valid yet",
        62: f"use a name that the certificate contains instead of {host}, or pin it with fingerprint=",
        64: f"use a name that the certificate contains instead of {host}, or pin it with fingerprint=",
    }
    remedy = remedies.get(
        code,
        "set the PEM file of its authority (ca= or NN_MONITOR_CA), or the fingerprint in the server's banner "
        "(fingerprint= or NN_MONITOR_FINGERPRINT)",
    )
    return f"the server's certificate is not trusted ({message}): {remedy}"
