"""What is asked and answered in frames; that they are really sent is seen on a lab: only root may."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from loopback import LocalSession, machine

from sio_lab.errors import ProtocolError
from sio_lab.probes import arp, frames_prober
from sio_lab.probes.observation import Evidence
from sio_lab.probes.packets import ARP, Ether

OWN, OTHER = "02:16:3e:00:00:50", "02:16:3e:00:00:28"
ADDRESS = IPv4Address("172.30.30.40")


def reply(address: str) -> bytes:
    return bytes(Ether(src=OTHER, dst=OWN) / ARP(op="is-at", hwsrc=OTHER, psrc=address, hwdst=OWN, pdst="0.0.0.0"))


def sent(session: LocalSession) -> list[str]:
    """Return the arguments of the prober: interface, seconds, match, frame."""
    return session.asked[-1].split(" - ", 1)[1].split()


def test_who_has() -> None:
    record: list[Evidence] = []
    session = LocalSession({"cat": OWN + "\n", "command": reply("172.30.30.40").hex() + "\n"})
    seen = arp.who_has(machine(session, record), "users", ADDRESS)
    assert (seen.answer, seen.mac) == ("granted", OTHER)
    _, _, match, frame = sent(session)
    question = Ether(bytes.fromhex(frame))
    assert (question.src, question.dst) == (OWN, "ff:ff:ff:ff:ff:ff")
    assert (question[ARP].op, question[ARP].psrc, question[ARP].pdst) == (1, "0.0.0.0", "172.30.30.40")
    wanted = frames_prober.conditions(match)
    assert frames_prober.answers(reply("172.30.30.40"), wanted)
    assert not frames_prober.answers(reply("172.30.30.41"), wanted)
    assert not frames_prober.answers(bytes(question), wanted)
    assert record[-1].received == f"172.30.30.40 is at {OTHER}"


def test_nobody_has() -> None:
    assert arp.who_has(machine(LocalSession({"cat": OWN, "command": ""})), "users", ADDRESS).answer == "refused"


def test_no_such_interface() -> None:
    with pytest.raises(ProtocolError):
        arp.who_has(machine(LocalSession({})), "nothing", ADDRESS)


def test_announcement() -> None:
    session = LocalSession({"command": ""})
    assert arp.announce(machine(session), "users", ADDRESS, OTHER).granted
    interface, _, match, frame = sent(session)
    said = Ether(bytes.fromhex(frame))
    assert (interface, match) == ("users", "-")
    # Watches leave out answers that contradict their own frame.
    assert (said.src, said[ARP].hwsrc, said[ARP].psrc, said[ARP].op) == (OTHER, OTHER, "172.30.30.40", 2)


def test_frames_cannot_be_sent() -> None:
    with pytest.raises(ProtocolError):
        arp.announce(machine(), "no-such-interface", ADDRESS, OTHER)
