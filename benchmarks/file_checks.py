"""File checks on the machines of a lab: ours against pytest-testinfra and an Ansible loop.

Usage: python benchmarks/file_checks.py [LAB] [--machines N] [--checks N] [--only WORD] [--dead]

Every measure is a whole command, from the start of its interpreter to its end, on the same machines, one command
after the other. Peers get what makes them fast: multiplexed connections, pipelining, a fork a machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import yaml

from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.providers import provider_for
from sio_lab.providers.base import SshAccess
from sio_lab.provision.inventory import ssh_config

Access = Mapping[str, SshAccess]

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent


class Bench:
    """Commands that ask ``machines`` of a lab ``checks`` times each whether a file exists.

    Args:
        lab: file of the lab.
        access: how to reach the machines.
        relays: the same over TCP, for clients that do not speak to unix sockets.
        checks: questions a machine.
        folder: for configurations and control sockets.
    """

    def __init__(self, lab: Path, access: Access, relays: Access, checks: int, folder: Path) -> None:
        self.lab, self.access, self.checks, self.folder = lab, access, checks, folder
        (folder / "known_hosts").write_text(
            "".join(f"{name} {way.host_key}\n" for name, way in access.items() if way.host_key)
        )
        self.config = folder / "ssh_config"
        self.config.write_text(ssh_config(access, folder / "known_hosts"))
        self.shared = folder / "ssh_config_shared"
        self.shared.write_text(f"ControlPath {folder}/%C\n{self.config.read_text()}")
        # Options that testinfra's paramiko backend does not get along with are left out.
        self.plain = folder / "ssh_config_relays"
        self.plain.write_text(
            "".join(
                f"Host {name}\n  HostName {way.host}\n  Port {way.port}\n  User {way.user}\n"
                + (f"  IdentityFile {way.identity_file}\n" if way.identity_file else "")
                for name, way in relays.items()
            )
        )

    def nothing(self) -> list[str]:
        """As many empty tests."""
        return self._pytest("checks_none.py")

    def ours(self) -> list[str]:
        """Checks of sio-lab."""
        return self._pytest("checks_sio_lab.py", "-p", "sio_lab.audit.plugin", "--lab", str(self.lab))

    def testinfra_ssh(self) -> list[str]:
        """testinfra as it is installed: one connection a command."""
        return self._testinfra("ssh", f"ssh_config={self.config}")

    def testinfra_multiplexed(self) -> list[str]:
        """The same where the user's configuration names a control socket: one connection a machine."""
        return self._testinfra("ssh", f"ssh_config={self.shared}")

    def testinfra_paramiko(self) -> list[str]:
        """testinfra over paramiko: one connection a machine, one channel a command."""
        return self._testinfra("paramiko", f"ssh_config={self.plain}")

    def ansible(self) -> list[str]:
        """A loop of ansible.builtin.stat."""
        inventory = self.folder / "hosts"
        inventory.write_text("".join(f"{name}\n" for name in self.access))
        forks = str(max(5, len(self.access)))
        return [
            *(str(BIN / "ansible-playbook"), "-i", str(inventory), "-f", forks, "-e", f"checks={self.checks}"),
            *("--ssh-common-args", f"-F {self.config}", str(HERE / "stat.yml")),
        ]

    def _testinfra(self, backend: str, options: str) -> list[str]:
        hosts = ",".join(f"{backend}://{name}?{options}" for name in self.access)
        return self._pytest("checks_testinfra.py", "-p", "testinfra.plugin", f"--hosts={hosts}")

    def _pytest(self, file: str, *options: str) -> list[str]:
        return [str(BIN / "pytest"), "-q", "-p", "no:cacheprovider", str(HERE / file), *options]

    def run(self, command: list[str], *, may_fail: bool = False) -> tuple[float, str]:
        """Return how many seconds ``command`` takes, and its last line; where it fails, end everything."""
        environment = {
            **os.environ,
            "BENCH_MACHINES": " ".join(self.access),
            "BENCH_CHECKS": str(self.checks),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # each gets the one that it needs
            "PYTHONDONTWRITEBYTECODE": "",  # compiled once, as wherever it is installed
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder),
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
            "ANSIBLE_HOME": str(self.folder),
        }
        start = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        taken = time.perf_counter() - start
        if done.returncode and not may_fail:
            sys.exit(f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return taken, done.stdout.strip().rpartition("\n")[2]

    def compare(self, only: str) -> None:
        """Measure all, and print a table."""
        ways: dict[str, Callable[[], list[str]]] = {
            "testinfra, ssh": self.testinfra_ssh,
            "testinfra, ssh multiplexed": self.testinfra_multiplexed,
            "testinfra, paramiko": self.testinfra_paramiko,
            "ansible loop": self.ansible,
        }
        count = f"{len(self.access)} machine{'s' * (len(self.access) > 1)} × {self.checks} file checks"
        self.run(self.ours())  # nobody's speed: files that are read, and compiled, for the first time
        empty, _ = self.run(self.nothing())
        print(f"\n{count}\n  {'pytest, as many empty tests':<30}{empty:>9.2f} s")
        ours, _ = self.run(self.ours())
        print(f"  {'sio-lab':<30}{ours:>9.2f} s   {ours - empty:.2f} s beyond pytest itself", flush=True)
        for name, way in ways.items():
            if only in name:
                taken, _ = self.run(way())
                print(f"  {name:<30}{taken:>9.2f} s   {taken / ours:.1f} × ours", flush=True)


def dead_machine(lab: Lab, bench: Bench) -> None:
    """Print what a machine that has stopped answering costs, among all."""
    name = list(bench.access)[-1]
    if lab.provider != "incus":
        print("\nA dead machine: measured on Incus only, which can freeze one.")
        return
    incus = ["incus", "--project", f"sio-{lab.lab}"]
    alive, _ = bench.run(bench.ours())
    subprocess.run([*incus, "pause", name], check=True)
    try:
        dead, said = bench.run(bench.ours(), may_fail=True)
    finally:
        subprocess.run([*incus, "resume", name], check=True)
    print(f"\n{len(bench.access)} machines × {bench.checks} file checks, {name} frozen")
    print(f"  all alive {alive:.2f} s, one dead {dead:.2f} s: {dead - alive:+.2f} s\n  {said}")


@contextmanager
def over_tcp(access: Access) -> Iterator[dict[str, SshAccess]]:
    """Yield ``access`` with a TCP port of loopback in front of each unix socket."""
    loop = asyncio.new_event_loop()
    ways: dict[str, SshAccess] = {}

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def start() -> None:
        for name, way in access.items():
            if way.unix_socket is None:
                ways[name] = way
                continue

            async def serve(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path = way.unix_socket
            ) -> None:
                there, back = await asyncio.open_unix_connection(str(path))
                await asyncio.gather(carry(reader, back), carry(there, writer), return_exceptions=True)

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            ways[name] = replace(way, unix_socket=None, host="127.0.0.1", port=port)

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield ways
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lab", nargs="?", type=Path, default=HERE, help="a lab that is up (default: %(default)s)")
    parser.add_argument("--machines", type=int, default=20, help="how many of them (default: %(default)s)")
    parser.add_argument("--checks", type=int, default=100, help="checks on each (default: %(default)s)")
    parser.add_argument("--only", default="", help="only the peers whose name holds this word")
    parser.add_argument("--dead", action="store_true", help="only the cost of a dead machine")
    options = parser.parse_args()
    lab = load(options.lab).lab
    access = provider_for(lab).access(lab)
    names = list(access)[: options.machines]
    for chosen in dict.fromkeys((tuple(names[:1]), tuple(names))):
        # Control sockets have short paths (unix(7): 107 characters).
        with tempfile.TemporaryDirectory(prefix="sb-") as folder, over_tcp(access) as relays:
            bench = Bench(
                part_of(lab, chosen, Path(folder)),
                {name: access[name] for name in chosen},
                {name: relays[name] for name in chosen},
                options.checks,
                Path(folder),
            )
            if not options.dead:
                bench.compare(options.only)
            if len(chosen) > 1:
                dead_machine(lab, bench)


def part_of(lab: Lab, machines: Collection[str], folder: Path) -> Path:
    """Write a lab file of only ``machines``: an audit asks each declared machine what it is."""
    kept = {"lab", "title", "option", "provider", "domain", "machines"}
    declared = lab.model_dump(mode="json", by_alias=True, exclude_unset=True, include=kept)
    declared["perimeters"] = {name: str(perimeter.cidr) for name, perimeter in lab.perimeters.items()}
    declared["machines"] = {name: declared["machines"][name] for name in machines}
    path = folder / "lab.yml"
    path.write_text(yaml.safe_dump(declared, sort_keys=False))
    return path


if __name__ == "__main__":
    main()
