"""2.2.b: deployment of terminals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urljoin

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.infrastructure import TerminalDeployment
from sio_lab.lab.model import Lab
from sio_lab.probes import dhcp, tftp
from sio_lab.probes.dhcp import DhcpObservation, Terminal
from sio_lab.text import Text

HEADER = 0x206
"""Bytes after which a Linux kernel has said what it is (Documentation/arch/x86/boot.rst: "HdrS" at 0x202)."""
ARCHIVES = (b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"070701")
"""How an initial file system begins: gzip, xz, zstd, cpio."""
HASHED = re.compile(r"\$(1|2[abxy]|5|6|7|y|gy)\$[./A-Za-z0-9$,=]{20,}")
"""A password's hash (crypt(5))."""
CLEAR = re.compile(
    r"^\s*d-i\s+passwd/\S*-password(-again)?\s+password\s+\S"  # Debian's installer
    r"|^\s*rootpw\s+(?!.*--(iscrypted|lock))\S"  # Kickstart
    r"|^\s*(password|passwd):\s*[\"']?(?![\"'$!*])\S",  # autoinstall, cloud-init
    re.MULTILINE,
)
"""An answer that holds a password as it is."""


@requirement("2.2.b", title=Text("Poste vierge", "Bare terminal"), uses=["terminal_deployment"], deadline=90)
def test_bare_terminal(lab: Lab, proof: Proof, service: TerminalDeployment) -> None:
    """A terminal without a system gets an address, a boot program, an installer and the answers to its questions.

    Satisfied: a network card's request is offered an address of the declared range and the declared program,
    takes it, and gives it back; iPXE is offered the declared script; program, script, kernel, initial file
    system and answers can be fetched; the answers name the organisation's domain and hold a password's hash, no
    password; a file that does not exist, and one outside the server's folder, are refused.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer. The installation itself takes a machine to install: it is not seen.
    Reads: services.terminal_deployment, domain.
    """
    terminal = Terminal(proof.machine(service.client), service.interface)
    offer = dhcp.discover(terminal)
    proof.works(offer, fr="le poste vierge n'obtient aucune adresse", en="the bare terminal is offered no address")
    in_range(proof, service, offer)
    with leased(proof, terminal, offer) as lease:
        in_range(proof, service, lease)
    program = fetched(proof, terminal, offer, service.boot_file)
    proof.holds(
        bool(program.content),
        program,
        side="positive",
        fr="le programme d'amorçage est vide",
        en="the boot program is empty",
    )
    script_offer = dhcp.discover(terminal, ipxe=True)
    proof.works(script_offer, fr="iPXE ne reçoit aucune offre", en="iPXE is offered nothing")
    script = fetched(proof, terminal, script_offer, service.boot_script)
    installs_alone(lab, proof, service, terminal, script_offer, script.text)
    root = root_of(script_offer)
    for path, fr, en in (
        ("sio-lab-nothing-there", "un fichier qui n'existe pas est servi", "a file that does not exist is served"),
        (
            "../../../../etc/hostname",
            "un fichier hors du dossier est servi",
            "a file outside the folder is served",
        ),
    ):
        proof.refused(tftp.fetch(terminal.machine, root + path, deadline=4), fr=fr, en=en)


@requirement("2.2.b", title=Text("Réseaux voisins", "Other networks"), uses=["terminal_deployment"], deadline=90)
def test_other_networks(proof: Proof, service: TerminalDeployment) -> None:
    """A machine that starts in another network is offered nothing: nobody reinstalls a server by mistake.

    Satisfied: the same request gets an offer in the terminals' network, and none in the other one.
    Not satisfied: no offer here, or one there.
    Unverified: a machine does not answer.
    Reads: services.terminal_deployment.
    """
    here = Terminal(proof.machine(service.client), service.interface)
    there = Terminal(proof.machine(service.stranger), service.stranger_interface)
    offer = dhcp.discover(here)
    proof.works(offer, fr="le poste vierge n'obtient aucune adresse", en="the bare terminal is offered no address")
    proof.refused(
        dhcp.discover(there),
        fr=f"une machine du réseau de {service.stranger} reçoit une offre",
        en=f"a machine of the network of {service.stranger} gets an offer",
    )


@contextmanager
def leased(proof: Proof, terminal: Terminal, offer: DhcpObservation) -> Iterator[DhcpObservation]:
    """Take the address of ``offer``, and give it back on leaving."""
    lease = dhcp.request(terminal, offer)
    proof.works(lease, fr="l'adresse proposée est refusée ensuite", en="the address offered is refused afterwards")
    try:
        yield lease
    finally:
        dhcp.release(terminal, lease)


def in_range(proof: Proof, service: TerminalDeployment, seen: DhcpObservation) -> None:
    """Judge that the address is one of those that terminals are given."""
    try:
        within = service.first_address <= IPv4Address(seen.address) <= service.last_address
    except AddressValueError:
        within = False
    proof.holds(
        within,
        seen,
        side="positive",
        fr=f"{seen.address} n'est pas dans la plage déclarée",
        en=f"{seen.address} is not in the declared range",
    )


def fetched(proof: Proof, terminal: Terminal, offer: DhcpObservation, declared: str) -> tftp.TftpObservation:
    """Judge that ``offer`` names the ``declared`` file; return it, as fetched from where the offer says."""
    proof.holds(
        bool(offer.next_server) and offer.boot_file == declared,
        offer,
        side="positive",
        fr=f"l'amorçage annoncé n'est pas {declared} : « {offer.boot_file} », serveur « {offer.next_server} »",
        en=f"the boot file announced is not {declared}: '{offer.boot_file}', server '{offer.next_server}'",
    )
    return got(proof, terminal, root_of(offer) + declared)


def got(proof: Proof, terminal: Terminal, url: str, limit: int | None = None) -> tftp.TftpObservation:
    """Judge that the file of ``url`` can be fetched; return it."""
    seen = tftp.fetch(terminal.machine, url, limit=limit) if limit else tftp.fetch(terminal.machine, url)
    proof.works(seen, fr=f"{url} n'est pas servi", en=f"{url} is not served")
    return seen


def root_of(offer: DhcpObservation) -> str:
    """Return the address that paths of boot files start from."""
    return f"tftp://{offer.next_server}/"


def installs_alone(
    lab: Lab, proof: Proof, service: TerminalDeployment, terminal: Terminal, offer: DhcpObservation, script: str
) -> None:
    """Judge that what ``script`` (https://ipxe.org/scripting) names is there, and asks nobody anything."""
    # What has no scheme is found beside the script.
    base = root_of(offer) + offer.boot_file
    kernel = got(proof, terminal, named(base, script, "kernel"), HEADER)
    proof.holds(
        kernel.content[0x202:HEADER] == b"HdrS",
        kernel,
        side="positive",
        fr="le noyau de l'installateur n'en est pas un",
        en="the installer's kernel is none",
    )
    initrd = got(proof, terminal, named(base, script, "initrd"), HEADER)
    proof.holds(
        initrd.content.startswith(ARCHIVES),
        initrd,
        side="positive",
        fr="le système de fichiers initial n'en est pas un",
        en="the initial file system is none",
    )
    answers = got(proof, terminal, service.answers)
    proof.holds(
        service.answers in script and lab.domain in answers.text,
        answers,
        side="positive",
        fr=f"le script n'annonce pas {service.answers}, ou ces réponses ignorent le domaine {lab.domain}",
        en=f"the script does not name {service.answers}, or these answers do not know the domain {lab.domain}",
    )
    proof.holds(
        not CLEAR.search(answers.text) and bool(HASHED.search(answers.text)),
        answers,
        side="negative",
        fr="les réponses de l'installation livrent un mot de passe en clair, ou n'en donnent aucun haché",
        en="the answers of the installation give a password away, or hold no hash of one",
    )


def named(base: str, script: str, command: str) -> str:
    """Return the address of what ``command`` of the ``script`` loads; that of the script where there is none."""
    line = re.search(rf"^\s*{command}\s+(?:--?\S+\s+)*(\S+)", script, re.MULTILINE)
    # urljoin knows no relative addresses of tftp: http stands for it, whose form is the same (RFC 3986 §5).
    target = str(line[1]) if line else ""
    if "://" in target:
        return target
    return urljoin(base.replace("tftp:", "http:", 1), target).replace("http:", "tftp:", 1)
