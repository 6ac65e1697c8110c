"""Impossible labs: each is refused at the line that makes it so."""

from pathlib import Path

import pytest

from sio_lab.errors import LabFileError
from sio_lab.lab import load

GOOD = """\
lab: essai
title: Essai
option: SISR
domain: essai.test
perimeters:
  internet: 203.0.113.0/24
  servers: 10.1.1.0/24
  users: 10.1.2.0/24
machines:
  fw: {kind: firewall, addresses: {internet: 203.0.113.1, servers: 10.1.1.1, users: 10.1.2.1}}
  monde: {addresses: {internet: 203.0.113.10}, gateway: 203.0.113.1}
  srv: {image: debian/13, memory: 512MiB, addresses: {servers: 10.1.1.10}}
  poste: {addresses: {users: 10.1.2.10}}
accounts:
  alice: {name: Alice}
  bruno: {name: Bruno}
  denis: {name: Denis, scope: external}
services:
  directory:
    product: openldap
    machines: [srv]
    url: ldaps://srv.essai.test
    base_dn: dc=essai,dc=test
    account: alice
    client: poste
  portal:
    product: apache
    machines: [srv]
    url: https://srv.essai.test/extranet/
    internal_url: https://10.1.1.10/intranet/
    account: denis
    internal_account: alice
    outside_client: monde
    client: poste
  internet_access:
    product: squid
    machines: [srv]
    proxy_url: https://srv:3129
    client: poste
    account: alice
    allowed_url: http://www.meteo.test/
    forbidden_url: http://www.jeux.test/
    log: {machine: srv, path: /var/log/squid/access.log}
  collaboration:
    product: radicale
    machines: [srv]
    protocol: caldav
    url: https://srv.essai.test:5232/x/
    members: [alice, bruno]
    outsider: denis
    client: poste
  encryption:
    client: poste
    capture_on: fw
    login_url: https://srv.essai.test/
    account: alice
    endpoints:
      - {host: srv, port: 443}
flows:
  - {from: users, to: srv, tcp: [443]}
  - {from: internet, to: srv, tcp: [443], published: true}
attestations:
  1.2: {document: a.pdf, sha256: SHA, signed_by: Proviseur, date: 2026-01-01, expires: 2027-01-01}
""".replace("SHA", "0" * 64)


def problems(tmp_path: Path, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    """Return, for each problem of the changed file, the words that it points at and what it says."""
    content = GOOD
    for old, new in changes:
        assert old in content
        content = content.replace(old, new, 1)
    (tmp_path / "lab.yml").write_text(content)
    with pytest.raises(LabFileError) as caught:
        load(tmp_path)
    lines = content.splitlines()
    return [(lines[p.line - 1][p.column - 1 :], p.what.en) for p in caught.value.problems]


def test_the_example_is_possible(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text(GOOD)
    load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("domain: essai.test", "domain: Essai_test", "Essai_test", "no domain name"),
        ("users: 10.1.2.0/24", "users: 10.1.1.128/25", "10.1.1.128/25", "overlaps that of 'servers'"),
        ("users: 10.1.2.0/24", "users: 10.1.2.0", "10.1.2.0", "no room"),
        ("users: 10.1.2.0/24", "users: 127.0.0.0/8", "127.0.0.0/8", "reserved"),
        ("users: 10.1.2.0/24", "lo: 10.9.9.0/24\n  users: 10.1.2.0/24", "lo:", "kept by Linux"),
        (
            "users: 10.1.2.0/24",
            "users: 10.1.2.0/24\n  salle-de-reunion-a: 10.9.1.0/24\n  salle-de-reunion-b: 10.9.2.0/24",
            "salle-de-reunion-b:",
            "keeps 15 characters",
        ),
        ("users: 10.1.2.0/24", "users: {cidr: 10.1.2.0/24, via: fx}", "fx", "undeclared machine: fx"),
        ("users: 10.1.2.0/24", "users: {cidr: 10.1.2.0/24, via: poste}", "poste", "in another perimeter"),
        ("users: 10.1.2.10", "users: 10.1.3.10", "10.1.3.10", "outside perimeter 'users' (10.1.2.0/24)"),
        ("users: 10.1.2.10", "users: 10.1.2.0", "10.1.2.0", "the network itself"),
        ("users: 10.1.2.10", "users: 10.1.2.255", "10.1.2.255", "broadcast"),
        ("users: 10.1.2.10", "users: 10.1.2.1", "10.1.2.1}", "already the address of 'fw'"),
        ("{users: 10.1.2.10}", "{user: 10.1.2.10}", "user:", "undeclared perimeter: user"),
        (
            "poste: {addresses: {users: 10.1.2.10}}",
            "poste: {title: x}",
            "poste:",
            "neither address nor connection",
        ),
        ("gateway: 203.0.113.1}", "gateway: 10.1.1.1}", "10.1.1.1}", "outside the networks of the machine"),
        ("gateway: 203.0.113.1}", "gateway: 203.0.113.10}", "203.0.113.10}", "its own gateway"),
        ("  poste: {", "  localhost: {addresses: {users: 10.1.2.9}}\n  poste: {", "localhost", "kept by Ansible"),
        ("memory: 512MiB", "memory: 0GiB", "0GiB", "at least 64MiB"),
        ("image: debian/13", "image: debain/13", "debain/13", "unknown image: debain/13"),
        ("image: debian/13", "image: debian/7", "debian/7", "unknown image"),
        ("image: debian/13", "image: [images:rockylinux/9, os2/4]", "os2/4", "unknown image: os2/4"),
        ("image: debian/13", "image: []", "image", "no image"),
        ("machines: [srv]", "machines: [serv]", "serv]", "undeclared machine: serv"),
        ("machines: [srv]", "machines: [srv, srv]", "srv]", "written twice"),
        ("    client: poste", "    client: postes", "postes", "undeclared machine: postes"),
        ("log: {machine: srv", "log: {machine: srw", "srw", "undeclared machine: srw"),
        ("members: [alice, bruno]", "members: [alice, bob]", "bob]", "undeclared account: bob"),
        ("members: [alice, bruno]", "members: [alice, alice]", "alice]", "written twice"),
        ("outsider: denis", "outsider: bruno", "bruno", "is a member"),
        ("account: denis", "account: alice", "alice", "no external account"),
        ("internal_account: alice", "internal_account: denis", "denis", "no internal account"),
        ("outside_client: monde", "outside_client: poste", "poste", "already portal.client"),
        ("url: https://srv.essai.test/ex", "url: https://serv.essai.test/ex", "https://serv", "no machine bears"),
        ("https://10.1.1.10/", "https://10.1.1.99/", "https://10.1.1.99", "no machine bears"),
        ("proxy_url: https://srv:3129", "proxy_url: srv:3129", "srv:3129", "impossible address"),
        ("proxy_url: https://srv:3129", "proxy_url: https://srv:99999", "https://srv:99999", "impossible address"),
        ("{host: srv, port: 443}", "{host: sv, port: 443}", "sv,", "no machine bears"),
        ("{from: users, to: srv", "{from: user, to: srv", "user,", "neither perimeter nor machine: user"),
        ("{from: users, to: srv", "{from: users, to: users", "users,", "to itself"),
        ("tcp: [443]}", "tcp: []}", "{from: users", "opens nothing"),
        ("tcp: [443]}", "tcp: [443, 443]}", "tcp: [443, 443]", "written twice"),
        ("to: srv, tcp: [443], published", "to: servers, tcp: [443], published", "servers", "only a machine"),
        ("expires: 2027-01-01", "expires: 2025-01-01", "2025-01-01", "expires"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, at: str, says: str) -> None:
    found = problems(tmp_path, (old, new))
    assert any(where.startswith(at) and says in what for where, what in found), found


def test_flow_written_twice(tmp_path: Path) -> None:
    line = "  - {from: users, to: srv, tcp: [443]}\n"
    assert [what for _, what in problems(tmp_path, (line, line * 2))] == ["flow already written above"]


def test_portal_needs_a_directory(tmp_path: Path) -> None:
    start, end = GOOD.index("  directory:"), GOOD.index("  portal:")
    found = problems(tmp_path, (GOOD[start:end], ""))
    assert ("portal:", "portal needs directory, which is missing") in found


def test_port_published_for_two_machines(tmp_path: Path) -> None:
    line = "  - {from: internet, to: srv, tcp: [443], published: true}\n"
    found = problems(tmp_path, (line, line + line.replace("srv", "poste")))
    assert [what for _, what in found] == ["port 443 published for 'internet' already leads to 'srv'"]


def test_flows_need_a_firewall(tmp_path: Path) -> None:
    found = problems(tmp_path, ("kind: firewall", "kind: server"))
    assert ("flows:", "flows between perimeters, but no machine of kind firewall") in found


def test_flows_need_a_firewall_in_their_perimeters(tmp_path: Path) -> None:
    found = problems(tmp_path, (", users: 10.1.2.1}", "}"))
    assert found == [("users, to: srv, tcp: [443]}", "no firewall has an address in 'users'")]


def test_existing_machines_need_a_connection(tmp_path: Path) -> None:
    found = problems(tmp_path, ("option: SISR", "option: SISR\nprovider: existing"))
    assert [what for _, what in found] == [
        f"nothing says how to reach '{name}'" for name in ("fw", "monde", "srv", "poste")
    ]


def test_existing_lab_without_perimeters(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text(
        "lab: salle\ntitle: Salle\noption: SLAM\nprovider: existing\nmachines:\n"
        "  glpi: {image: whatever, connection: {host: glpi.lycee.test, user: audit}}\n"
        "accounts: {a: {name: A}, b: {name: B}}\n"
        "services:\n  ticketing: {product: glpi, machines: [glpi], url: 'https://tickets.lycee.test', "
        "account: a, agent: b, client: glpi}\n"
    )
    assert load(tmp_path).lab.provider == "existing"


def test_a_perimeter_behind_a_router_needs_no_firewall_of_its_own(tmp_path: Path) -> None:
    content = GOOD.replace(
        "  users: 10.1.2.0/24", "  users: 10.1.2.0/24\n  loin: {cidr: 10.8.1.0/24, via: routeur}"
    )
    content = content.replace(
        "  poste:", "  routeur: {addresses: {servers: 10.1.1.40, loin: 10.8.1.1}}\n  poste:", 1
    )
    content = content.replace("flows:\n", "flows:\n  - {from: loin, to: srv, tcp: [636]}\n", 1)
    (tmp_path / "lab.yml").write_text(content)
    load(tmp_path)
