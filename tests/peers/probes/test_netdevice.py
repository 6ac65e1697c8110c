"""Equipment over SSH: a real sshd whose shell gives what FRR's vtysh was seen to answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback import LocalSession, closed_port, machine
from sshd import Sshd, keys, sshd

from sio_lab.errors import IdentityError, ServiceUnavailable, Unreachable, UsageError
from sio_lab.probes import netdevice
from sio_lab.probes.observation import Evidence

VTYSH = Path(__file__).parents[2] / "vtysh.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("router")
    keys(path)
    return path


@pytest.fixture(scope="module")
def router(folder: Path) -> Iterator[Sshd]:
    with sshd(folder, {"ForceCommand": f"{sys.executable} -IS {VTYSH} {folder / 'changes'}"}) as running:
        yield running


def test_what_a_router_says_of_itself(router: Sshd) -> None:
    record: list[Evidence] = []
    with netdevice.connected(machine(record=record), router.access, netdevice.FRR) as device:
        version, interfaces = device.version(), device.interfaces()
        routes, configuration = device.routes(), device.configuration()
    assert version.granted
    assert version.output.startswith("FRRouting 10.3 (routeur)")
    assert "wg0" in interfaces.output
    assert "O>* 172.31.10.0/24 [110/20] via 10.255.255.2, wg0" in routes.output
    assert "router ospf" in configuration.output
    assert not configuration.output.endswith("#")
    assert [evidence.probe for evidence in record] == ["netdevice.ask"] * 4
    assert record[-1].received == f"{len(configuration.output.splitlines())} lines"


def test_from_here_without_a_machine_between(router: Sshd) -> None:
    with netdevice.connected(machine(), router.access, netdevice.FRR, direct=True) as device:
        assert device.version().granted


def test_a_command_that_it_does_not_know(router: Sshd) -> None:
    with netdevice.connected(machine(), router.access, netdevice.FRR) as device:
        seen = device.ask("show nothing")
    assert seen.answer == "refused"
    assert seen.detail == "% Unknown command: show nothing"


def test_a_line_added_and_removed(router: Sshd) -> None:
    record: list[Evidence] = []
    with netdevice.connected(machine(record=record), router.access, netdevice.FRR) as device:
        before = device.configuration().output
        assert device.configure(["ip route 198.51.100.7/32 blackhole"]).granted
        assert "ip route 198.51.100.7/32 blackhole" in device.configuration().output.splitlines()
        assert device.configure(["no ip route 198.51.100.7/32 blackhole"]).granted
        assert device.configuration().output == before
    (first, *_) = [evidence for evidence in record if evidence.probe == "netdevice.configure"]
    assert first.sent == "ip route 198.51.100.7/32 blackhole"


def test_a_line_that_it_does_not_know(router: Sshd) -> None:
    with netdevice.connected(machine(), router.access, netdevice.FRR) as device:
        seen = device.configure(["colour red"])
        assert seen.answer == "refused"
        assert seen.detail == "% Unknown command: colour red"
        assert device.version().granted


def test_another_host_key(router: Sshd, folder: Path) -> None:
    stranger = replace(router.access, host_key=(folder / "user.pub").read_text().strip())
    with (
        pytest.raises(IdentityError),
        netdevice.connected(machine(), stranger, netdevice.FRR),
    ):
        pass


def test_a_key_that_it_does_not_accept(router: Sshd, folder: Path) -> None:
    with (
        pytest.raises(Unreachable, match="does not accept the key"),
        netdevice.connected(machine(), replace(router.access, identity_file=folder / "host"), netdevice.FRR),
    ):
        pass


def test_nobody_there(router: Sshd) -> None:
    gone = replace(router.access, port=closed_port())
    for direct in (True, False):
        with (
            pytest.raises(ServiceUnavailable),
            netdevice.connected(machine(LocalSession()), gone, netdevice.FRR, direct=direct),
        ):
            pass


def test_a_type_that_netmiko_does_not_know(router: Sshd) -> None:
    with (
        pytest.raises(UsageError, match="abacus"),
        netdevice.connected(machine(), router.access, "abacus"),
    ):
        pass
