"""Certificates, made at test time with openssl."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Pair:
    certificate: Path
    key: Path

    @property
    def fingerprint(self):
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        return hashlib.sha256(der).hexdigest()


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=120)


def authority(folder, name):
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
        "-subj", f"/CN={name}", "-keyout", pair.key, "-out", pair.certificate,
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )
    return pair


def server(folder, name, signer, host="localhost", expired=False):
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
    openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}",
        "-keyout", pair.key, "-out", request,
    )
    openssl(
        "x509", "-req", "-in", request, "-CA", signer.certificate, "-CAkey", signer.key, "-CAcreateserial",
        # OpenSSL 3.0 has no -not_after here; a negative number of days ends before it begins, and so is expired.
        "-days", "-1" if expired else "30", "-extfile", extensions, "-out", pair.certificate,
    )
    return pair
