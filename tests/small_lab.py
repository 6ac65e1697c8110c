"""A lab with one machine of each sort, for tests that need no more."""

from __future__ import annotations

from typing import Any

from sio_lab.lab.model import Lab

SMALL: dict[str, Any] = {
    "lab": "petit",
    "title": "Petit",
    "organisation": "École",
    "option": "SISR",
    "domain": "petit.test",
    "perimeters": {
        "internet": "203.0.113.0/24",
        "dmz": "10.9.1.0/24",
        "users": "10.9.2.0/24",
        "mirror": "10.9.9.0/24",
    },
    "machines": {
        "dehors": {"addresses": {"internet": "203.0.113.9"}, "roles": ["internet_sites"]},
        "fw": {
            "kind": "firewall",
            "roles": ["firewall"],
            "addresses": {
                "internet": "203.0.113.1",
                "dmz": "10.9.1.1",
                "users": "10.9.2.1",
                "mirror": "10.9.9.1",
            },
        },
        "web": {"addresses": {"dmz": "10.9.1.10"}},
        "bdd": {"addresses": {"dmz": "10.9.1.11", "mirror": "10.9.9.11"}},
        "poste": {"kind": "terminal", "addresses": {"users": "10.9.2.10"}},
    },
    "accounts": {"alice": {"name": "Alice"}, "bruno": {"name": "Bruno"}},
    "services": {
        "dbms": {
            "product": "postgresql",
            "machines": ["bdd"],
            "host": "bdd.petit.test",
            "database": "app",
            "user": "app",
            "client": "web",
        },
    },
    "flows": [
        {"from": "internet", "to": "web", "tcp": [443], "published": True},
        {"from": "users", "to": "web", "tcp": [443]},
        {"from": "poste", "to": "dmz", "icmp": True},
        {"from": "poste", "to": "fw", "tcp": [22]},
        {"from": "web", "to": "internet", "udp": [123]},
    ],
}


def changed(**changes: Any) -> Lab:
    """Return the small lab with other values at its top level."""
    return Lab.model_validate({**SMALL, **changes})
