"""OpenLDAP's own server as an ordinary process on loopback, with a few people in it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback import closed_port

_SBIN = Path("/usr/sbin")
_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {pem}
TLSCertificateKeyFile {pem}
database mdb
suffix "{base}"
directory {folder}/data
lastbind {noted}
{closed}
access to attrs=userPassword by anonymous auth by * none
access to * by {readers} read by * none
"""


@contextmanager
def serving(
    folder: Path,
    pem: Path,
    base: str,
    passwords: Mapping[str, str],
    *,
    everybody_reads: bool = False,
    notes_logins: bool = True,
) -> Iterator[dict[int, int]]:
    """Run slapd; yield its ports on loopback, by those of the protocol: 389 (StartTLS) and 636 (TLS).

    Skips the test where slapd is not installed.
    """
    if not (_SBIN / "slapd").exists():
        pytest.skip("slapd is not installed")
    (folder / "data").mkdir(parents=True)
    configuration = folder / "slapd.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            pem=pem,
            base=base,
            noted="on" if notes_logins else "off",
            closed="" if everybody_reads else "require authc",
            readers="*" if everybody_reads else "users",
        )
    )
    subprocess.run(
        [_SBIN / "slapadd", "-q", "-f", configuration],
        input=_entries(base, passwords).encode(),
        check=True,
        capture_output=True,
    )
    ports = {389: closed_port(), 636: closed_port()}
    urls = f"ldaps://127.0.0.1:{ports[636]} ldap://127.0.0.1:{ports[389]}"
    # -d keeps it in the foreground, as our child.
    command = [_SBIN / "slapd", "-d", "0", "-f", configuration, "-h", urls]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(ports[389])
            yield ports
        finally:
            process.terminate()


def _entries(base: str, passwords: Mapping[str, str]) -> str:
    value = base.partition(",")[0].removeprefix("dc=")
    people = f"ou=people,{base}"
    entries = [
        f"dn: {base}\nobjectClass: dcObject\nobjectClass: organization\ndc: {value}\no: {value}\n",
        f"dn: {people}\nobjectClass: organizationalUnit\nou: people\n",
        *(
            f"dn: uid={login},{people}\nobjectClass: inetOrgPerson\nuid: {login}\ncn: {login}\nsn: {login}\n"
            f"userPassword: {password}\n"
            for login, password in passwords.items()
        ),
    ]
    return "\n".join(entries)


def _wait(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
