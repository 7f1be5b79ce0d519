"""Let the downloaded Java trust the certificate authorities that the system trusts.

Java has its own list of certificate authorities. Behind a proxy that signs with the company's authority, pip works because it uses
the system's list, and Java fails. So the system's list, if there is one, replaces Java's list.
"""

import os
import ssl
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

BUNDLES = (
    os.environ.get("PIP_CERT"),
    os.environ.get("SSL_CERT_FILE"),
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
)


def main(cacerts: Path) -> None:
    """Replace the Java trust store `cacerts` with the system's authorities. Without a system bundle, leave it unchanged."""
    bundle = next((Path(name) for name in BUNDLES if name and Path(name).is_file()), None)
    if bundle is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    authorities = [
        PKCS12Certificate(x509.load_der_x509_certificate(der), f"authority-{number}".encode())
        for number, der in enumerate(context.get_ca_certs(binary_form=True))
    ]
    cacerts.write_bytes(serialize_java_truststore(authorities, NoEncryption()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
