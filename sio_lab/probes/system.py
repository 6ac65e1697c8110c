"""What a machine is: its system, its identity, and whether it is real equipment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from weakref import WeakKeyDictionary

from sio_lab.audit.document import Nature
from sio_lab.errors import ProbeTimeout, ProtocolError, ServiceUnavailable
from sio_lab.probes.machine import Machine, Session
from sio_lab.probes.observation import Answer, Observation
from sio_lab.text import Text

# One round trip; nothing in it needs root, what an ordinary user cannot read is left out. Small files are read by
# the shell itself: an audit asks this a hundred times, and processes are what it would cost.
_POSIX = r"""
LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin; exec 2>/dev/null
s() { printf '\n== %s\n' "$1"; }
f() { [ -r "$1" ] || return 1; while IFS= read -r l || [ -n "$l" ]; do printf '%s\n' "$l"; done <"$1"; }
s os-release; f /etc/os-release || f /usr/lib/os-release
s uname; uname -srm
s machine-id; f /etc/machine-id || sysctl -n kern.hostuuid
s detect-virt; systemd-detect-virt || sysctl -n kern.vm_guest
s container; [ -r /proc/1/environ ] && tr '\0' '\n' </proc/1/environ | sed -n 's/^container=//p'
f /run/systemd/container
[ -e /.dockerenv ] && echo docker; [ -e /run/.containerenv ] && echo podman
s uid-map; f /proc/1/uid_map
s dmi; for n in sys_vendor product_name board_vendor; do f /sys/class/dmi/id/$n; done
kenv -q smbios.system.maker; kenv -q smbios.system.product
[ -r /proc/device-tree/model ] && tr '\0' '\n' </proc/device-tree/model
s hypervisor-flag; grep -m1 -o -w hypervisor /proc/cpuinfo
s xen; f /proc/xen/capabilities
s mac; for d in /sys/class/net/*/device; do f "${d%device}address"; done
s android; getprop ro.kernel.qemu; getprop ro.boot.qemu
s addresses; ip -o -4 address show
exit 0
"""

# Windows' OpenSSH starts cmd.exe, which has no sh: a second question, in its own shell.
_WINDOWS = (
    'powershell -NoProfile -Command "'
    "$o = Get-CimInstance Win32_OperatingSystem; $c = Get-CimInstance Win32_ComputerSystem;"
    "'== caption'; $o.Caption; '== version'; $o.Version;"
    "'== machine-id'; (Get-ItemProperty HKLM:\\SOFTWARE\\Microsoft\\Cryptography).MachineGuid;"
    "'== dmi'; $c.Manufacturer; $c.Model;"
    "'== hypervisor-flag'; if ($c.HypervisorPresent) { 'hypervisor' }\""
)

# Names that systemd-detect-virt(1) gives to containers and to software emulation.
_CONTAINERS = frozenset(
    (
        "openvz", "lxc", "lxc-libvirt", "systemd-nspawn", "docker", "podman", "rkt", "wsl", "proot", "pouch",
        "container-other",
    )
)  # fmt: skip
_EMULATORS = frozenset({"qemu", "bochs"})

# Makers and models of virtual machines, as their firmware gives them.
_VIRTUAL_DMI = (
    "vmware", "virtualbox", "innotek", "qemu", "kvm", "bochs", "xen", "virtual machine", "parallels", "bhyve",
    "proxmox", "openstack", "nutanix ahv", "google compute engine", "amazon ec2", "hvm domu", "firecracker",
    "linux,dummy-virt",
)  # fmt: skip

# Prefixes of MAC addresses that hypervisors give out (IEEE registry; 52:54:00 is QEMU's own local one).
_VIRTUAL_MAC = {
    "00:05:69": "VMware", "00:0c:29": "VMware", "00:1c:14": "VMware", "00:50:56": "VMware",
    "08:00:27": "VirtualBox", "52:54:00": "QEMU/KVM", "00:15:5d": "Hyper-V", "00:16:3e": "Xen",
    "bc:24:11": "Proxmox", "00:1c:42": "Parallels", "50:6b:8d": "Nutanix", "10:66:6a": "Incus",
}  # fmt: skip

_LINUX_FAMILIES = {
    "debian": "debian", "ubuntu": "debian", "rhel": "rhel", "fedora": "rhel", "centos": "rhel", "suse": "suse",
    "opensuse": "suse", "arch": "arch", "alpine": "alpine", "gentoo": "gentoo",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemObservation(Observation):
    """A machine's own account of itself.

    Attributes:
        pretty_name: name of the system for people: ``Debian GNU/Linux 13 (trixie)``.
        family: kernel and family: ``linux/debian``, ``linux/rhel``, ``windows``, ``bsd/freebsd``.
        distribution: identifier of the distribution: ``debian``, ``ubuntu``, ``freebsd``, ``windows``.
        kernel: name and release of the kernel, and processor: ``Linux 6.12.48 x86_64``.
        machine_id: what tells this installation from any other; empty where there is none.
        nature: whether it is real equipment.
        nature_evidence: what tells so.
        addresses: IPv4 addresses of its interfaces; none where it could not tell.
    """

    pretty_name: str
    family: str
    distribution: str
    kernel: str
    machine_id: str
    nature: Nature
    nature_evidence: str
    addresses: frozenset[str] = frozenset()

    @property
    def kernel_family(self) -> str:
        """The kernel's family: ``linux``, ``bsd``, ``windows``."""
        return self.family.split("/", 1)[0]


@dataclass(slots=True, eq=False)
class _Known:
    """What the machine of a session said it is, once it was asked."""

    lock: Lock = field(default_factory=Lock)
    seen: SystemObservation | None = None


_known: WeakKeyDictionary[Session, _Known] = WeakKeyDictionary()
_knowing = Lock()


def identify(machine: Machine) -> SystemObservation:
    """Ask ``machine`` what it is, in one round trip (two for Windows); once a session, whoever wants to know.

    Raises:
        Unreachable: the machine does not answer.
        ProbeTimeout: it took more than ten seconds.
        ProtocolError: what it answers is no known system.
    """
    with _knowing:
        known = _known.setdefault(machine.session, _Known())
    with known.lock:
        if known.seen is None:
            known.seen = _asked(machine)
            return known.seen
        evidence = replace(known.seen.evidence, side="context")
    machine.record(evidence)
    return replace(known.seen, evidence=evidence)


def _asked(machine: Machine) -> SystemObservation:
    at, start = datetime.now(UTC), monotonic()
    sent = _POSIX
    _, stdout, stderr = machine.session.run("sh", stdin=sent, deadline=10)
    if "== uname" not in stdout:
        sent = _WINDOWS
        _, stdout, stderr = machine.session.run(sent, stdin="", deadline=10)
    evidence = machine.saw(
        "system.identify", target=machine.name, sent=sent.strip(), received=stdout or stderr, at=at, start=start
    )
    found = sections(stdout)
    nature, nature_evidence = nature_of(found)
    if "caption" in found:
        return SystemObservation(
            evidence,
            "granted",
            pretty_name=_line(found, "caption"),
            family="windows",
            distribution="windows",
            kernel=f"Windows NT {_line(found, 'version')}",
            machine_id=_line(found, "machine-id"),
            nature=nature,
            nature_evidence=nature_evidence,
        )
    kernel = _line(found, "uname")
    if not kernel:
        raise ProtocolError(
            Text("la machine ne dit pas quel système elle est", "the machine does not say what system it is"),
            where=machine.name,
        )
    release = os_release(found.get("os-release", ""))
    family, distribution = family_of(kernel, release)
    return SystemObservation(
        evidence,
        "granted",
        pretty_name=release.get("PRETTY_NAME") or kernel,
        family=family,
        distribution=distribution,
        kernel=kernel,
        machine_id=_line(found, "machine-id"),
        nature=nature,
        nature_evidence=nature_evidence,
        addresses=addresses_of(found.get("addresses", "")),
    )


_GREETINGS = {"debian": "debian", "ubuntu": "ubuntu", "freebsd": "freebsd", "for_windows": "windows"}
"""Words by which an SSH server's greeting (RFC 4253 §4.2) names its system, and the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingObservation(Observation):
    """What a machine's SSH server says before any login.

    Attributes:
        greeting: its first line; empty where nothing listens.
        distribution: system that it names, as ``SystemObservation.distribution``; empty where it names none.
    """

    greeting: str
    distribution: str


def ssh_greeting(machine: Machine) -> GreetingObservation:
    """Read the greeting of the SSH server of ``machine``: a second source on its system.

    Raises:
        Unreachable: the machine does not answer.
        ProbeTimeout: its SSH server does not.
    """
    at, start = datetime.now(UTC), monotonic()
    line, detail = "", ""
    answer: Answer = "granted"
    try:
        with machine.forward("localhost", 22) as address, socket.create_connection(address, timeout=5) as server:
            line = server.makefile("rb").readline(255).decode(errors="replace").strip()
    except ServiceUnavailable as error:
        answer, detail = "unavailable", error.what.en
    except TimeoutError as error:
        raise ProbeTimeout(Text("pas de réponse en 5 s", "no answer within 5 s"), where=machine.name) from error
    evidence = machine.saw(
        "system.ssh_greeting", target=f"{machine.name}:22", sent="", received=line or detail, at=at, start=start
    )
    return GreetingObservation(evidence, answer, detail, greeting=line, distribution=greeted(line))


def greeted(greeting: str) -> str:
    """Return the system that an SSH greeting names, or nothing."""
    return next((name for word, name in _GREETINGS.items() if word in greeting.lower()), "")


def sections(output: str) -> dict[str, str]:
    """Split an answer at its ``== name`` lines."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in output.splitlines():
        if line.startswith("== "):
            name = line[3:].strip()
            found[name] = []
        elif name and line.strip():
            found[name].append(line.strip())
    return {name: "\n".join(lines) for name, lines in found.items()}


def os_release(text: str) -> dict[str, str]:
    """Read os-release(5): one assignment a line, in quotes where it needs them."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {key: value.strip("\"'") for key, _, value in pairs}


def addresses_of(listed: str) -> frozenset[str]:
    """Return the addresses in what ``ip -o -4 address show`` prints: ``2: dmz inet 172.30.10.1/24 …``."""
    lines = (line.split() for line in listed.splitlines())
    return frozenset(words[3].partition("/")[0] for words in lines if len(words) > 3 and words[2] == "inet")


def family_of(kernel: str, release: Mapping[str, str]) -> tuple[str, str]:
    """Return family and distribution, from ``uname`` and os-release."""
    system = kernel.split(maxsplit=1)[0]
    if system != "Linux":
        name = system.lower()
        return (f"bsd/{name}" if name.endswith("bsd") else name), release.get("ID", name)
    distribution = release.get("ID", "unknown")
    for name in (distribution, *release.get("ID_LIKE", "").split()):
        known = _LINUX_FAMILIES.get(name.partition("-")[0])
        if known:
            return f"linux/{known}", distribution
    return f"linux/{distribution}", distribution


def nature_of(found: Mapping[str, str]) -> tuple[Nature, str]:
    """Tell real equipment from the rest; return the nature and what tells it.

    A container shows the firmware of its host: it is looked for first. A virtual machine is told by
    any one sign; real equipment needs a sign of its own, the absence of others is none.
    """
    return _container(found) or _virtual(found) or _physical(found)


def _container(found: Mapping[str, str]) -> tuple[Nature, str] | None:
    virt, marks = _line(found, "detect-virt"), found.get("container", "").split()
    if virt in _CONTAINERS:
        return "container", f"systemd-detect-virt: {virt}" + (f", container={marks[0]}" if marks else "")
    if marks:
        return "container", f"container={marks[0]}"
    # "0 0 4294967295" is the initial user namespace (user_namespaces(7)); it always maps everything.
    uid_map = " ".join(_line(found, "uid-map").split())
    if uid_map and uid_map != "0 0 4294967295":
        return "container", f"/proc/1/uid_map: {uid_map}"
    return None


def _virtual(found: Mapping[str, str]) -> tuple[Nature, str] | None:
    virt, dmi = _line(found, "detect-virt"), _dmi(found)
    if "1" in found.get("android", "").split():
        return "emulated", "ro.kernel.qemu=1"
    if virt in _EMULATORS:
        return "emulated", f"systemd-detect-virt: {virt}" + (f", DMI: {dmi}" if dmi else "")
    if "control_d" in found.get("xen", ""):
        return "physical", "Xen dom0" + (f", DMI: {dmi}" if dmi else "")
    signs = [f"systemd-detect-virt: {virt}"] if virt not in {"", "none"} else []
    if any(mark in dmi.lower() for mark in _VIRTUAL_DMI):
        signs.append(f"DMI: {dmi}")
    # A Windows host that runs Hyper-V is itself "hypervisor present": there, firmware alone decides.
    if found.get("hypervisor-flag") and "caption" not in found:
        signs.append("CPUID: hypervisor")
    for mac in found.get("mac", "").lower().split():
        if mac[:8] in _VIRTUAL_MAC:
            signs.append(f"MAC {mac}: {_VIRTUAL_MAC[mac[:8]]}")
            break
    return ("virtual_machine", ", ".join(signs)) if signs else None


def _physical(found: Mapping[str, str]) -> tuple[Nature, str]:
    dmi = _dmi(found)
    if dmi:
        return "physical", f"DMI: {dmi}"
    if _line(found, "detect-virt") == "none":
        return "physical", "systemd-detect-virt: none"
    return "unknown", ""


def _dmi(found: Mapping[str, str]) -> str:
    return " ".join(dict.fromkeys(found.get("dmi", "").splitlines()))


def _line(found: Mapping[str, str], name: str) -> str:
    return found.get(name, "").partition("\n")[0]
