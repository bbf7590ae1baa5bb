"""Certificates for tests, made with the openssl command."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Pair:
    certificate: Path
    key: Path


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def key(path: Path) -> Path:
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    return path


def authority(folder: Path, name: str = "authority") -> Pair:
    """A certificate authority."""
    made = Pair(folder / f"{name}.pem", key(folder / f"{name}.key"))
    _openssl("req", "-x509", "-new", "-key", made.key, "-subj", f"/CN={name}", "-days", "2", "-out", made.certificate)
    return made


def certificate(folder: Path, name: str = "localhost", issuer: Pair | None = None, days: int = 2) -> Pair:
    """A certificate for localhost, by an authority or by itself. `days` may be negative: then it has expired."""
    made = Pair(folder / f"{name}.pem", key(folder / f"{name}.key"))
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    _openssl("req", "-new", "-key", made.key, "-subj", f"/CN={name}", "-out", request)
    signer = ["-CA", issuer.certificate, "-CAkey", issuer.key, "-CAcreateserial"] if issuer else ["-signkey", made.key]
    _openssl("x509", "-req", "-in", request, "-days", days, "-extfile", extensions, *signer, "-out", made.certificate)
    return made
