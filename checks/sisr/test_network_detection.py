"""2.2.d: intrusion and abnormal behaviour on the network are detected: an attack, a scan, a forged ARP answer."""

from __future__ import annotations

import secrets
import shlex
from ipaddress import IPv4Address, IPv4Network
from time import sleep
from urllib.parse import urlsplit

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.infrastructure import NetworkDetection
from sio_lab.lab.model import Lab
from sio_lab.probes import alerts, arp, cleartext, scan
from sio_lab.probes.alerts import AlertObservation
from sio_lab.probes.machine import Machine
from sio_lab.text import Text

SILENCE = 1.0
"""Seconds that ordinary traffic is watched for."""
FORGOTTEN = 6.0
"""Seconds after which a detection has forgotten what somebody else did from the same machine."""
SCANNED = range(1, 51)
"""Ports that are scanned: few, each asked once."""


@requirement(
    "2.2.d",
    title=Text("Signature d'attaque", "Signature of an attack"),
    uses=["network_detection", "intrusion_detection"],
    deadline=60,
)
def test_known_attack(lab: Lab, proof: Proof, service: NetworkDetection) -> None:
    """A request that a known rule matches raises its alert; an ordinary one does not.

    Satisfied: the alert about that very request stands in the log in time, none about the ordinary one. An attack
    that is not seen is tried once more.
    Not satisfied: no alert in time, or one about the ordinary request.
    Unverified: a machine does not answer, or the requests found nobody to be sent to.
    Reads: services.network_detection.delay_seconds, services.intrusion_detection.
    """
    known = lab.services.intrusion_detection
    assert known is not None  # the check `uses` it
    outside, sensor = proof.machine(known.outside_client), proof.machine(known.machines[0])
    ordinary = secrets.token_hex(8)
    point = alerts.end(sensor, known.log)

    def send(url: str, token: str, seconds: float) -> AlertObservation:
        if cleartext.get(outside, url).answer == "unavailable":
            raise nobody_there(url)
        return alerts.after(sensor, known.log, point, signature=known.signature, about=[token], within=seconds)

    parts = urlsplit(known.trigger_url)
    quiet = send(f"http://{parts.netloc}/{ordinary}", ordinary, SILENCE)
    proof.holds(
        not quiet.granted,
        quiet,
        side="negative",
        fr="une requête ordinaire déclenche l'alerte",
        en="an ordinary request raises the alert",
    )

    def attack() -> AlertObservation:
        token = secrets.token_hex(8)
        return send(known.trigger_url.replace("{token}", token), token, service.delay_seconds)

    raised = alerts.tried_again(attack)
    proof.works(
        raised,
        fr=f"l'attaque connue ne déclenche pas l'alerte « {known.signature} »",
        en=f"the known attack does not raise the alert '{known.signature}'",
    )


@requirement("2.2.d", title=Text("Balayage de ports", "Port scan"), uses=["network_detection"], deadline=60)
def test_port_scan(proof: Proof, service: NetworkDetection) -> None:
    """A short scan of ports raises an alert that names where it came from; a few connections raise none.

    Satisfied: an alert about the scan, which has a source port of its own, stands in the log in time; none about
    the connections of a visitor, made just before from another source port.
    Not satisfied: no alert in time, or one about the visitor too.
    Unverified: a machine does not answer, or the connections could not be sent.
    Reads: services.network_detection.
    """
    scanner, sensor = proof.machine(service.scanner), proof.machine(service.machines[0])
    quiet = visit(scanner, sensor, service)
    if quiet.granted:
        sleep(FORGOTTEN)
        quiet = visit(scanner, sensor, service)
        quiet.evidence.attempt = 2
        quiet.evidence.retry_reason = "another check may just have tried many ports from the same machine"
    proof.holds(
        not quiet.granted,
        quiet,
        side="negative",
        fr="quelques connexions ordinaires déclenchent l'alerte",
        en="a few ordinary connections raise the alert",
    )
    proof.works(
        alert_on(scanner, sensor, service, SCANNED, service.delay_seconds),
        fr=f"le balayage de {len(SCANNED)} ports ne déclenche pas l'alerte « {service.signature} »",
        en=f"the scan of {len(SCANNED)} ports does not raise the alert '{service.signature}'",
    )


def visit(scanner: Machine, sensor: Machine, service: NetworkDetection) -> AlertObservation:
    """Connect as a visitor does, who also tries the address without TLS; return the alerts about that."""
    return alert_on(scanner, sensor, service, sorted({80, service.port}), SILENCE)


def alert_on(
    scanner: Machine, sensor: Machine, service: NetworkDetection, ports: range | list[int], seconds: float
) -> AlertObservation:
    """Try ``ports``, all from one source port, and return the alerts about it."""
    point = alerts.end(sensor, service.log)
    # Below those that systems choose by themselves (RFC 6335 §6, ip_local_port_range of Linux).
    sent = scan.tcp(scanner, service.host, list(ports), source_port=20000 + secrets.randbelow(10000))
    return alerts.after(
        sensor, service.log, point, signature=service.signature, about=sent.marks(), within=seconds
    )


@requirement("2.2.d", title=Text("Usurpation ARP", "ARP spoofing"), uses=["network_detection"], deadline=60)
def test_arp_spoofing(lab: Lab, proof: Proof, service: NetworkDetection) -> None:
    """An address that suddenly answers from another hardware address is reported; one that appears is not.

    An address of the network that nobody has is announced with a first hardware address, then with a second one,
    as a spoofer would: no machine is disturbed, and nothing remains but entries that caches forget.

    Satisfied: the second announcement stands in the log in time, the first did not raise that alert.
    Not satisfied: no alert in time, or one after the first announcement already.
    Unverified: a machine does not answer, or no free address was found.
    Reads: services.network_detection, the addresses of the network of its interface.
    """
    spoofer, watcher = proof.machine(service.spoofer), proof.machine(service.machines[-1])
    victim = free_address(lab, proof, service)
    first, second = (f"02:00:5e:{token[:2]}:{token[2:4]}:{token[4:]}" for token in (token3(), token3()))
    point = alerts.end(watcher, service.arp_log)

    def report(within: float) -> AlertObservation:
        return alerts.after(
            watcher,
            service.arp_log,
            point,
            signature=service.arp_signature,
            about=[f"{victim} "],
            within=within,
        )

    arp.announce(spoofer, service.interface, victim, first)
    quiet = report(SILENCE)
    proof.holds(
        not quiet.granted,
        quiet,
        side="negative",
        fr="l'arrivée d'une machine est prise pour une usurpation",
        en="the arrival of a machine is taken for spoofing",
    )
    # Again, as spoofers do, whose word must be the last that victims hear.
    for _ in range(2):
        arp.announce(spoofer, service.interface, victim, second)
    proof.works(
        report(service.delay_seconds),
        fr="la réponse ARP forgée n'est pas signalée",
        en="the forged ARP answer is not reported",
    )


def token3() -> str:
    """Return three random bytes in hexadecimal."""
    return secrets.token_hex(3)


def free_address(lab: Lab, proof: Proof, service: NetworkDetection) -> IPv4Address:
    """Return an address of the spoofer's network that the lab file gives to nobody and that nobody answers for.

    The watcher remembers what was announced before, by an earlier audit too: what its log names is left out.

    Raises:
        InconclusiveError: none was found.
    """
    network = network_of(lab, service)
    declared = {
        address for name in (*lab.machines, *lab.shared_addresses) for address in lab.addresses_of(name).values()
    }
    watcher = proof.machine(service.machines[-1])
    log = watcher.run(f"tail -c 200000 {shlex.quote(service.arp_log)} 2>/dev/null || true").stdout
    remembered = set(log.split())
    last = network.num_addresses - 2
    for _ in range(20):
        # The upper half: routers are usually at an end, servers at the beginning.
        address = network[last - secrets.randbelow(max(1, last // 2 - 1)) - 1]
        if (
            address not in declared
            and str(address) not in remembered
            and not arp.who_has(proof.machine(service.spoofer), service.interface, address).granted
        ):
            return address
    raise InconclusiveError(
        Text("pas d'adresse libre à usurper sans gêner personne", "no free address to spoof without harm"),
        where=str(network),
    )


def network_of(lab: Lab, service: NetworkDetection) -> IPv4Network:
    """Return the network that the spoofer and the watcher share.

    Raises:
        InconclusiveError: the lab file knows none.
    """
    theirs = lab.addresses_of(service.spoofer).keys() & lab.addresses_of(service.machines[-1]).keys()
    # In our labs an interface bears the name of its perimeter; elsewhere there must be only one.
    named = [name for name in theirs if name == service.interface] or sorted(theirs)
    if len(named) != 1:
        raise InconclusiveError(
            Text(
                f"{service.spoofer} et {service.machines[-1]} ne partagent pas un seul périmètre",
                f"{service.spoofer} and {service.machines[-1]} do not share one perimeter",
            ),
            where="services.network_detection",
        )
    return lab.perimeters[named[0]].cidr


def nobody_there(url: str) -> InconclusiveError:
    """Return the error that tells that a request met nobody."""
    return InconclusiveError(
        Text("aucun service n'écoute là où la requête est envoyée", "nobody listens where the request is sent"),
        where=url,
    )
