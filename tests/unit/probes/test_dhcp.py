"""What is asked and answered in frames; that they are really sent is seen on a lab: only root may."""

from __future__ import annotations

from loopback import LocalSession, machine

from sio_lab.probes import dhcp, frames_prober
from sio_lab.probes.observation import Evidence
from sio_lab.probes.packets import BOOTP, DHCP, IP, UDP, Ether

SERVER = "02:16:3e:00:00:28"


def answer(kind: str, xid: int, *, file: bytes = b"undionly.kpxe", **header: object) -> bytes:
    return bytes(
        Ether(src=SERVER, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="172.30.30.40", dst="255.255.255.255")
        / UDP(sport=67, dport=68)
        / BOOTP(op=2, xid=xid, yiaddr="172.30.30.120", siaddr="172.30.30.40", file=file, **header)
        / DHCP(
            options=[
                ("message-type", kind),
                ("server_id", "172.30.30.40"),
                ("router", "172.30.30.1"),
                ("domain", b"capvoile.test"),
                "end",
            ]
        )
    )


def sent(session: LocalSession) -> tuple[str, Ether]:
    """Return what an answer must match, and the frame that was sent."""
    _, _, match, frame = session.asked[-1].split(" - ", 1)[1].split()
    return match, Ether(bytes.fromhex(frame))


def options(frame: Ether) -> dict[object, object]:
    return {option[0]: option[1] for option in frame[DHCP].options if isinstance(option, tuple)}


def test_offer() -> None:
    record: list[Evidence] = []
    session = LocalSession({"command": answer("offer", 1).hex()})
    terminal = dhcp.Terminal(machine(session, record), "users")
    seen = dhcp.discover(terminal)
    assert seen.granted
    assert (seen.address, seen.server, seen.server_mac) == ("172.30.30.120", "172.30.30.40", SERVER)
    assert (seen.next_server, seen.boot_file) == ("172.30.30.40", "undionly.kpxe")
    assert (seen.router, seen.domain) == ("172.30.30.1", "capvoile.test")
    assert "boot_file: undionly.kpxe" in record[0].received

    match, frame = sent(session)
    assert frame.src == terminal.mac
    assert int(terminal.mac[:2], 16) & 3 == 2  # locally administered, one station
    assert (frame[IP].src, frame[IP].dst, frame[UDP].dport) == ("0.0.0.0", "255.255.255.255", 67)
    assert options(frame)["vendor_class_id"].startswith(b"PXEClient")
    wanted = frames_prober.conditions(match)
    xid = frame[BOOTP].xid
    assert frames_prober.answers(answer("offer", xid), wanted)
    assert not frames_prober.answers(answer("offer", xid ^ 1), wanted)
    assert not frames_prober.answers(answer("nak", xid), wanted)
    assert not frames_prober.answers(bytes(frame), wanted)


def test_ipxe_says_that_it_is() -> None:
    session = LocalSession({"command": ""})
    dhcp.discover(dhcp.Terminal(machine(session), "users"), ipxe=True)
    assert options(sent(session)[1])["user_class"] == b"iPXE"


def test_boot_server_given_as_options() -> None:
    frame = Ether(answer("offer", 1, file=b""))
    frame[BOOTP].siaddr = "0.0.0.0"
    frame[DHCP].options = [("tftp_server_name", b"deploiement"), ("boot-file-name", b"x.efi"), "end"]
    for layer in (IP, UDP):
        del frame[layer].len
    said = dhcp.reading(bytes(frame))
    assert (said["next_server"], said["boot_file"]) == ("deploiement", "x.efi")


def test_no_offer() -> None:
    seen = dhcp.discover(dhcp.Terminal(machine(LocalSession({"command": ""})), "users"), deadline=2)
    assert (seen.answer, seen.detail) == ("refused", "no answer within 2 s")


def test_lease_and_its_end() -> None:
    session = LocalSession({"command": answer("ack", 1).hex()})
    terminal = dhcp.Terminal(machine(session), "users")
    lease = dhcp.request(terminal, dhcp.discover(terminal))
    assert lease.granted
    assert options(sent(session)[1])["requested_addr"] == "172.30.30.120"
    dhcp.release(terminal, lease)
    match, frame = sent(session)
    assert (match, frame.dst, frame[IP].src, frame[BOOTP].ciaddr) == (
        "-", SERVER, "172.30.30.120", "172.30.30.120",
    )  # fmt: skip


def test_what_is_no_answer() -> None:
    assert dhcp.reading(b"") == {}
    assert dhcp.reading(bytes(Ether(src=SERVER))) == {}
