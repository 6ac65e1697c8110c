"""A real PostgreSQL on loopback, with TLS and one application's account."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback import closed_port

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
ssl = on
ssl_cert_file = '{folder}/tls.pem'
ssl_key_file = '{folder}/tls.pem'
fsync = off
"""
_ACCESS = "local all all trust\nhostssl all app 127.0.0.1/32 scram-sha-256\n"


class Server:
    """The server; ``admin`` runs SQL in the application's database as the superuser."""

    def __init__(self, folder: Path, port: int, user: str) -> None:
        self.folder, self.port, self.user = folder, port, user

    def run(self, tool: str, *arguments: str, text: str = "") -> str:
        """Run one of its tools, as the account of the server, which root may not be."""
        user = self.user if os.geteuid() == 0 else None
        command = [str(_INSTALLED[-1] / tool), *arguments]
        ran = subprocess.run(command, input=text, capture_output=True, text=True, user=user, cwd="/", check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def admin(self, statements: str, database: str = "app") -> str:
        arguments = ("-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-d", database)
        return self.run("psql", *arguments, "-tAqX", "-v", "ON_ERROR_STOP=1", text=statements).strip()


@contextmanager
def serving(pem: Path, password: str) -> Iterator[Server]:
    """Run PostgreSQL with the certificate of ``pem``, and ``app``, which owns the database of that name.

    Skips the test where it is not installed.
    """
    if not _INSTALLED:
        pytest.skip("postgresql is not installed")
    user = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() else "nobody"
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/var/tmp"))  # a socket's path must be short, and reached
    server = Server(folder, closed_port(), user)
    data = folder / "data"
    try:
        shutil.copy(pem, folder / "tls.pem")
        (folder / "tls.pem").chmod(0o600)
        for place in (folder, folder / "tls.pem"):
            os.chown(place, pwd.getpwnam(user).pw_uid, -1)
        server.run("initdb", "-D", str(data), "-U", "postgres", "--no-sync", "-A", "trust", "-E", "UTF8")
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION.format(port=server.port, folder=folder))
        (data / "pg_hba.conf").write_text(_ACCESS)
        server.run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "start")
        try:
            server.admin(f"CREATE ROLE app LOGIN PASSWORD '{password}';", "postgres")
            server.admin("CREATE DATABASE app OWNER app", "postgres")
            yield server
        finally:
            server.run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
