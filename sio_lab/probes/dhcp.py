"""DHCP (RFC 2131): what the network gives a terminal that boots, from a machine that plays it. Never judges.

The terminal has a hardware address of its own: the leases of the machine that plays it are not touched.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

from sio_lab.probes import frames_prober, remote_python
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Observation
from sio_lab.probes.packets import BOOTP, DHCP, IP, UDP, Ether, Packet

_BROADCAST = "ff:ff:ff:ff:ff:ff"
_ASKED = [1, 3, 15, 66, 67]  # mask, router, domain, boot server, boot file (RFC 2132)
_OFFER, _ACK = 2, 5
# Of UEFI and BIOS, the one that every PXE server knows (RFC 4578 §2.1), as PXE 2.1 wants it announced.
_PXE = [("vendor_class_id", b"PXEClient:Arch:00000:UNDI:002001"), ("pxe_client_architecture", b"\0\0")]
_IPXE = [("user_class", b"iPXE"), (175, b"\xb1\x01\x01")]  # how iPXE makes itself known


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal that boots, played by ``machine`` on ``interface``.

    Attributes:
        mac: its hardware address, one of those that anybody may use (IEEE 802, locally administered).
    """

    machine: Machine
    interface: str
    mac: str = field(default_factory=lambda: ":".join(["02", *(f"{b:02x}" for b in secrets.token_bytes(5))]))


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpObservation(Observation):
    """An answer of a DHCP server. ``refused``: none came, which is how DHCP says no.

    Attributes:
        address: address that is offered or leased.
        server: identifier of the server.
        server_mac: hardware address that it answered from.
        next_server: server that the boot file is on.
        boot_file: its path there.
        domain: DNS domain.
        router: default route.
    """

    address: str = ""
    server: str = ""
    server_mac: str = ""
    next_server: str = ""
    boot_file: str = ""
    domain: str = ""
    router: str = ""


def discover(terminal: Terminal, *, ipxe: bool = False, deadline: float = 8.0) -> DhcpObservation:
    """Ask for offers, as a network card's boot program does; as iPXE does, with ``ipxe``.

    Args:
        terminal: who asks.
        ipxe: whether it is iPXE already, which reads scripts.
        deadline: seconds to wait: a server may first make sure that nobody uses the address (RFC 2131 §2.2).

    Raises:
        Unreachable, ProbeTimeout: as every probe.
        ProtocolError: no such interface, or no right to send frames from it.
    """
    options = [("message-type", "discover"), ("param_req_list", _ASKED), *_PXE, *(_IPXE if ipxe else [])]
    return _ask(terminal, "DISCOVER (iPXE)" if ipxe else "DISCOVER (PXE)", options, _OFFER, deadline)


def request(terminal: Terminal, offer: DhcpObservation, *, deadline: float = 5.0) -> DhcpObservation:
    """Accept ``offer``; the answer is the lease.

    Raises:
        Unreachable, ProbeTimeout, ProtocolError: as ``discover``.
    """
    options = [
        ("message-type", "request"),
        ("server_id", offer.server),
        ("requested_addr", offer.address),
        ("param_req_list", _ASKED),
        *_PXE,
    ]
    return _ask(terminal, f"REQUEST {offer.address}", options, _ACK, deadline)


def release(terminal: Terminal, lease: DhcpObservation) -> None:
    """Give ``lease`` back (RFC 2131 §4.4.6: nobody answers that).

    Raises:
        Unreachable, ProbeTimeout, ProtocolError: as ``discover``.
    """
    at, start = datetime.now(UTC), monotonic()
    frame = (
        Ether(src=terminal.mac, dst=lease.server_mac)
        / IP(src=lease.address, dst=lease.server)
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=_bytes(terminal.mac), ciaddr=lease.address, xid=secrets.randbits(32))
        / DHCP(options=[("message-type", "release"), ("server_id", lease.server), "end"])
    )
    _send(terminal, frame, "-", 0)
    terminal.machine.saw(
        "dhcp.release", target=lease.server, sent=f"RELEASE {lease.address}", received="sent", at=at, start=start
    )


def _ask(
    terminal: Terminal, said: str, options: Sequence[tuple[object, object]], wanted: int, deadline: float
) -> DhcpObservation:
    at, start = datetime.now(UTC), monotonic()
    xid = secrets.randbits(32)
    frame = (
        Ether(src=terminal.mac, dst=_BROADCAST)
        / IP(src="0.0.0.0", dst="255.255.255.255")  # noqa: S104  # who has no address yet
        / UDP(sport=68, dport=67)
        # Flag "broadcast" (RFC 2131 §4.1): nobody here has the terminal's hardware address.
        / BOOTP(chaddr=_bytes(terminal.mac), xid=xid, flags=0x8000)
        / DHCP(options=[*options, "end"])
    )
    # IPv4, UDP to port 68, an answer (op 2) to this very question; its type is the first option, by custom.
    match = f"12=0800,23=11,36=0044,42=02,46={xid:08x},282=3501{wanted:02x}"
    answer = reading(_send(terminal, frame, match, deadline))
    detail = "" if answer else f"no answer within {deadline:g} s"
    evidence = terminal.machine.saw(
        "dhcp.ask",
        target=terminal.interface,
        sent=f"{said} from {terminal.mac}",
        received=detail or "\n".join(f"{name}: {value}" for name, value in answer.items()),
        at=at,
        start=start,
    )
    return DhcpObservation(evidence, "granted" if answer else "refused", detail, **answer)


def _send(terminal: Terminal, frame: Packet, match: str, deadline: float) -> bytes:
    arguments = [terminal.interface, f"{deadline:g}", match, bytes(frame).hex()]
    return bytes.fromhex(remote_python.run(terminal.machine, frames_prober, arguments, deadline=deadline).strip())


def reading(frame: bytes) -> Mapping[str, str]:
    """Return the attributes of ``DhcpObservation`` that an answer's ``frame`` gives; none without a frame."""
    packet = Ether(frame)
    if DHCP not in packet:
        return {}
    boot = packet[BOOTP]
    options = {option[0]: option[1] for option in packet[DHCP].options if isinstance(option, tuple)}
    return {
        "address": boot.yiaddr,
        "server": _text(options.get("server_id")),
        "server_mac": packet.src,
        # In the header, or in options where the client asked for them (RFC 2132 §9.4, §9.5).
        "next_server": _text(options.get("tftp_server_name")) or _given(boot.siaddr),
        "boot_file": _text(options.get("boot-file-name")) or _text(boot.file),
        "domain": _text(options.get("domain")),
        "router": _text(options.get("router")),
    }


def _given(address: str) -> str:
    return "" if address == "0.0.0.0" else address  # noqa: S104  # nothing given


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.rstrip(b"\0").decode(errors="replace")
    return "" if value is None else str(value)


def _bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
