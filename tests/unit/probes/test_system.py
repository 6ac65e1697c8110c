from __future__ import annotations

import socket
import threading

import pytest
from loopback import LocalSession, closed_port, machine

from sio_lab.errors import ProtocolError
from sio_lab.probes import system
from sio_lab.probes.observation import Evidence

DEBIAN_CONTAINER = """
== os-release
PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
NAME="Debian GNU/Linux"
VERSION_ID="13"
VERSION="13 (trixie)"
ID=debian

== uname
Linux 6.18.44 x86_64

== machine-id
82a3b245d56445b18c0ddf7be4cf2f20

== detect-virt
lxc

== container
lxc
lxc

== uid-map
         0    1000000 1000000000

== dmi
Dell Inc.
PowerEdge R440

== hypervisor-flag

== xen

== mac

== android
"""

NATURES = {
    "incus container on a Dell server": (DEBIAN_CONTAINER, "container", "systemd-detect-virt: lxc, container=lxc"),
    "unprivileged container without systemd": (
        "== detect-virt\n== container\n== uid-map\n         0     100000      65536\n== dmi\nDell Inc.\n",
        "container",
        "/proc/1/uid_map: 0 100000 65536",
    ),
    "docker": ("== detect-virt\n== container\ndocker\n", "container", "container=docker"),
    "VMware Workstation": (
        "== detect-virt\nvmware\n== uid-map\n         0          0 4294967295\n"
        "== dmi\nVMware, Inc.\nVMware Virtual Platform\nIntel Corporation\n"
        "== hypervisor-flag\nhypervisor\n== mac\n00:0c:29:3a:5b:10\n",
        "virtual_machine",
        "systemd-detect-virt: vmware, DMI: VMware, Inc. VMware Virtual Platform Intel Corporation, "
        "CPUID: hypervisor, MAC 00:0c:29:3a:5b:10: VMware",
    ),
    "VirtualBox without systemd": (
        "== detect-virt\n== dmi\ninnotek GmbH\nVirtualBox\nOracle Corporation\n== mac\n08:00:27:aa:bb:cc\n",
        "virtual_machine",
        "DMI: innotek GmbH VirtualBox Oracle Corporation, MAC 08:00:27:aa:bb:cc: VirtualBox",
    ),
    "Proxmox (KVM)": (
        "== detect-virt\nkvm\n== dmi\nQEMU\nStandard PC (i440FX + PIIX, 1996)\n"
        "== hypervisor-flag\nhypervisor\n== mac\nbc:24:11:01:02:03\n",
        "virtual_machine",
        "systemd-detect-virt: kvm, DMI: QEMU Standard PC (i440FX + PIIX, 1996), CPUID: hypervisor, "
        "MAC bc:24:11:01:02:03: Proxmox",
    ),
    "Hyper-V": (
        "== detect-virt\nmicrosoft\n== dmi\nMicrosoft Corporation\nVirtual Machine\n",
        "virtual_machine",
        "systemd-detect-virt: microsoft, DMI: Microsoft Corporation Virtual Machine",
    ),
    "FreeBSD under bhyve": ("== detect-virt\nbhyve\n", "virtual_machine", "systemd-detect-virt: bhyve"),
    "QEMU without acceleration": ("== detect-virt\nqemu\n", "emulated", "systemd-detect-virt: qemu"),
    "Android emulator": ("== uname\nLinux 5.15 x86_64\n== android\n1\n1\n", "emulated", "ro.kernel.qemu=1"),
    "XCP-ng host": (
        "== detect-virt\nnone\n== dmi\nHPE\nProLiant DL360 Gen10\n== xen\ncontrol_d\n",
        "physical",
        "Xen dom0, DMI: HPE ProLiant DL360 Gen10",
    ),
    "Dell server": (
        "== detect-virt\nnone\n== uid-map\n         0          0 4294967295\n"
        "== dmi\nDell Inc.\nPowerEdge R440\nDell Inc.\n== mac\ne4:43:4b:00:11:22\n",
        "physical",
        "DMI: Dell Inc. PowerEdge R440",
    ),
    "Raspberry Pi": (
        "== detect-virt\nnone\n== dmi\nRaspberry Pi 4 Model B Rev 1.4\n",
        "physical",
        "DMI: Raspberry Pi 4 Model B Rev 1.4",
    ),
    "nothing known": ("== uname\nLinux 6.1 x86_64\n", "unknown", ""),
    "Windows host running Hyper-V": (
        "== caption\nMicrosoft Windows Server 2022 Standard\n== dmi\nDell Inc.\nPowerEdge T350\n"
        "== hypervisor-flag\nhypervisor\n",
        "physical",
        "DMI: Dell Inc. PowerEdge T350",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("output", "nature", "evidence"), NATURES.values(), ids=NATURES)
def test_nature(output: str, nature: str, evidence: str) -> None:
    assert system.nature_of(system.sections(output)) == (nature, evidence)


@pytest.mark.parametrize(
    ("kernel", "release", "expected"),
    [
        ("Linux 6.12 x86_64", 'ID=debian\nVERSION_ID="13"', ("linux/debian", "debian")),
        ("Linux 6.8 x86_64", "ID=ubuntu\nID_LIKE=debian", ("linux/debian", "ubuntu")),
        ("Linux 5.14 x86_64", 'ID="rocky"\nID_LIKE="rhel centos fedora"', ("linux/rhel", "rocky")),
        ("Linux 6.4 x86_64", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"', ("linux/suse", "opensuse-leap")),
        ("Linux 6.6 x86_64", "# Buildroot\nID=buildroot", ("linux/buildroot", "buildroot")),
        ("Linux 4.4 x86_64", "", ("linux/unknown", "unknown")),
        ("FreeBSD 14.1-RELEASE amd64", "ID=freebsd", ("bsd/freebsd", "freebsd")),
        ("Darwin 23.6.0 arm64", "", ("darwin", "darwin")),
    ],
)
def test_family(kernel: str, release: str, expected: tuple[str, str]) -> None:
    assert system.family_of(kernel, system.os_release(release)) == expected


def test_identify_this_machine_in_one_round_trip() -> None:
    session, record = LocalSession(), list[Evidence]()
    seen = system.identify(machine(session, record))
    assert len(session.asked) == len(record) == 1
    assert seen.granted
    assert seen.kernel_family == "linux"
    assert seen.kernel.startswith("Linux ")
    assert seen.evidence.probe == "system.identify"


def test_identify_asks_once_a_session_and_each_check_has_its_evidence() -> None:
    session, first, second = LocalSession({"sh": DEBIAN_CONTAINER}), list[Evidence](), list[Evidence]()
    seen = system.identify(machine(session, first))
    first[0].side = "positive"
    again = system.identify(machine(session, second))
    assert len(session.asked) == 1
    assert again.machine_id == seen.machine_id
    assert (again.evidence.side, again.evidence.sha256, again.evidence.at) == (
        "context",
        seen.evidence.sha256,
        seen.evidence.at,
    )
    assert second == [again.evidence]


def test_identify_asks_again_what_did_not_answer() -> None:
    session = LocalSession({})
    with pytest.raises(ProtocolError):
        system.identify(machine(session))
    session.answers["sh"] = DEBIAN_CONTAINER
    assert system.identify(machine(session)).granted


def test_identify_recorded_container() -> None:
    seen = system.identify(machine(LocalSession({"sh": DEBIAN_CONTAINER})))
    assert (seen.pretty_name, seen.family) == ("Debian GNU/Linux 13 (trixie)", "linux/debian")
    assert seen.machine_id == "82a3b245d56445b18c0ddf7be4cf2f20"
    assert seen.nature == "container"


def test_identify_windows_asks_in_its_own_shell() -> None:
    answer = (
        "== caption\r\nMicrosoft Windows Server 2022 Standard\r\n== version\r\n10.0.20348\r\n== machine-id\r\n"
        "4c0e1f2a-0000-4000-8000-123456789abc\r\n== dmi\r\nVMware, Inc.\r\nVMware7,1\r\n"
        "== hypervisor-flag\r\nhypervisor\r\n"
    )
    seen = system.identify(machine(LocalSession({"powershell": answer})))
    assert seen.family == "windows"
    assert seen.kernel == "Windows NT 10.0.20348"
    assert seen.machine_id == "4c0e1f2a-0000-4000-8000-123456789abc"
    assert (seen.nature, seen.nature_evidence) == ("virtual_machine", "DMI: VMware, Inc. VMware7,1")


def test_identify_something_else() -> None:
    with pytest.raises(ProtocolError):
        system.identify(machine(LocalSession({})))


@pytest.mark.parametrize(
    ("greeting", "distribution"),
    [
        ("SSH-2.0-OpenSSH_10.0p2 Debian-7+deb13u4", "debian"),
        ("SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5", "ubuntu"),
        ("SSH-2.0-OpenSSH_for_Windows_9.5", "windows"),
        ("SSH-2.0-OpenSSH_9.7 FreeBSD-20240701", "freebsd"),
        ("SSH-2.0-OpenSSH_8.7", ""),
    ],
)
def test_ssh_greeting(greeting: str, distribution: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            server.accept()[0].close()  # the tunnel reaches its peer once before the question
            peer, _ = server.accept()
            with peer:
                peer.sendall(greeting.encode() + b"\r\n")

        threading.Thread(target=greet, daemon=True).start()
        seen = system.ssh_greeting(machine(LocalSession(ports={("localhost", 22): server.getsockname()[1]})))
    assert (seen.answer, seen.greeting, seen.distribution) == ("granted", greeting, distribution)


def test_ssh_greeting_of_nobody() -> None:
    seen = system.ssh_greeting(machine(LocalSession(ports={("localhost", 22): closed_port()})))
    assert (seen.answer, seen.distribution) == ("unavailable", "")


def test_addresses_of_interfaces() -> None:
    listed = """1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: dmz    inet 172.30.10.31/24 brd 172.30.10.255 scope global dmz\\       valid_lft forever
2: dmz    inet 172.30.10.30/24 scope global secondary dmz\\       valid_lft forever
"""
    assert system.addresses_of(listed) == {"127.0.0.1", "172.30.10.31", "172.30.10.30"}
    assert system.addresses_of("") == frozenset()
