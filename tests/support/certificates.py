"""A certificate authority for one test run, made with the openssl command."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_EXTENSIONS = """\
subjectAltName=DNS:localhost,IP:127.0.0.1,IP:198.18.0.1
basicConstraints=CA:FALSE
keyUsage=digitalSignature
extendedKeyUsage=serverAuth
authorityKeyIdentifier=keyid
"""
# 198.18.0.1 (RFC 2544) is the server at the far end of the benchmarks' lines.
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: the authority to trust, and a server's certificate for localhost and 127.0.0.1 (not 127.0.0.2)."""

    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a server certificate in `folder`, valid for a week; about 50 ms."""
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    (folder / "extensions").write_text(_EXTENSIONS)
    request, authority_key = folder / "server.csr", folder / "ca.key"
    _openssl(
        "req", "-x509", *_KEY, "-keyout", authority_key, "-out", made.ca, "-days", "7", "-subj", "/CN=hikkoshi test CA",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    _openssl("req", *_KEY, "-keyout", made.key, "-out", request, "-subj", "/CN=localhost")
    _openssl(
        "x509", "-req", "-in", request, "-CA", made.ca, "-CAkey", authority_key, "-CAcreateserial",
        "-out", made.certificate, "-days", "7", "-extfile", folder / "extensions",
    )  # fmt: skip
    return made


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
