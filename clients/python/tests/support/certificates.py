"""Certificates, made at test time with openssl."""

from __future__ import annotations

import datetime
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
    # `openssl x509` of OpenSSL 3.0 cannot set the times.
    now = datetime.datetime.now(datetime.timezone.utc)
    begins, ends = (f"{now + datetime.timedelta(days):%Y%m%d%H%M%SZ}" for days in (-10, -1 if expired else 30))
    database = folder / f"{name}.index"
    database.touch()
    settings = folder / f"{name}.cnf"
    settings.write_text(
        f"[ca]\ndefault_ca=made\n[made]\ndatabase={database}\nnew_certs_dir={folder}\nrand_serial=yes\n"
        "default_md=sha256\npolicy=policy\n[policy]\ncommonName=supplied\n")
    openssl(
        "ca", "-batch", "-notext", "-config", settings, "-in", request, "-out", pair.certificate,
        "-extfile", extensions, "-cert", signer.certificate, "-keyfile", signer.key,
        "-startdate", begins, "-enddate", ends,
    )
    return pair
