"""Certificates for tests, made with the openssl command."""

import hashlib
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ..wire.raw import RawConnection


@dataclass
class Pair:
    certificate: Path
    key: Path


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def key(path: Path, algorithm: str = "ec") -> Path:
    """A private key, P-256, RSA 2048 ("rsa") or RSA 4096 ("rsa4096")."""
    kind = {"ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "rsa4096": ["RSA", "-pkeyopt", "rsa_keygen_bits:4096"]}
    _openssl("genpkey", "-algorithm", *kind[algorithm], "-out", path)
    return path


def authority(folder: Path, name: str = "authority") -> Pair:
    """A certificate authority, with what strict clients ask of one."""
    made = Pair(folder / f"{name}.pem", key(folder / f"{name}.key"))
    _openssl("req", "-x509", "-new", "-key", made.key, "-subj", f"/CN={name}", "-days", "100",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", made.certificate)
    return made


def certificate(folder: Path, name: str = "localhost", issuer: Pair | None = None, days: int = 2) -> Pair:
    """A certificate for localhost, by an authority or by itself. `days` may be negative: then it has expired."""
    made = Pair(folder / f"{name}.pem", key(folder / f"{name}.key"))
    _sign(folder, name, made, issuer, days, "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    return made


def public_certificate(folder: Path, algorithm: str, issuer: Pair, days: int) -> Pair:
    """A certificate for localhost with the fields of one that a public authority gives; `algorithm` as for `key`."""
    name = f"public-{algorithm}"
    made = Pair(folder / f"{name}.pem", key(folder / f"{name}.key", algorithm))
    _sign(folder, name, made, issuer, days, (
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"))
    return made


def _sign(folder: Path, name: str, made: Pair, issuer: Pair | None, days: int, fields: str):
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(fields)
    _openssl("req", "-new", "-key", made.key, "-subj", f"/CN={name}", "-out", request)
    signer = ["-CA", issuer.certificate, "-CAkey", issuer.key, "-CAcreateserial"] if issuer else ["-signkey", made.key]
    _openssl("x509", "-req", "-in", request, "-days", days, "-extfile", extensions, *signer, "-out", made.certificate)


def client_certificate(folder: Path, name: str, issuer: Pair, begins: float, ends: float) -> Pair:
    """A client's certificate by an authority, with times of its own in seconds from now."""
    made = Pair(folder / f"{name}.pem", key(folder / f"{name}.key"))
    request, settings, index = folder / f"{name}.csr", folder / f"{name}.cnf", folder / f"{name}.index"
    index.touch()
    settings.write_text(
        f"[ca]\ndefault_ca=made\n[made]\ndatabase={index}\nnew_certs_dir={folder}\nrand_serial=yes\n"
        "default_md=sha256\npolicy=policy\nx509_extensions=client\n[policy]\ncommonName=supplied\n"
        "[client]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")
    _openssl("req", "-new", "-key", made.key, "-subj", f"/CN={name}", "-out", request)
    now = datetime.now(timezone.utc)
    times = [f"{now + timedelta(seconds=moment):%Y%m%d%H%M%SZ}" for moment in (begins, ends)]
    _openssl("ca", "-batch", "-notext", "-config", settings, "-in", request, "-out", made.certificate,
             "-cert", issuer.certificate, "-keyfile", issuer.key, "-startdate", times[0], "-enddate", times[1])
    return made


def install(pair: Pair, folder: Path):
    """Puts a pair where `start_tls` servers read theirs."""
    shutil.copy(pair.key, folder / "server.key")
    shutil.copy(pair.certificate, folder / "server.pem")


def fingerprint(pair: Pair) -> str:
    """SHA-256 of the certificate."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())).hexdigest()


def presented(server) -> str:
    """SHA-256 of the certificate that a new connection gets."""
    with RawConnection(server) as connection:
        return hashlib.sha256(connection.socket.getpeercert(True)).hexdigest()
