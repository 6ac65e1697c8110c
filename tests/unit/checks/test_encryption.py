"""What the checks of encryption make of a lab file; that they prove it is for the integration tests to say."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import httpx
import pytest
from lab_runner import ROOT

from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.probes.observation import Evidence
from sio_lab.probes.web import WebObservation


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location("encryption", ROOT / "checks" / "common" / "test_encryption.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "encryption", module)  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lab() -> Lab:
    return load(ROOT / "inventories" / "sisr").lab


def test_every_declared_service_is_examined_once_from_where_it_is_used(check: Any, lab: Lab) -> None:
    found = {
        (target.client, target.endpoint.host, target.endpoint.port, target.endpoint.starttls)
        for target in check.declared(lab, lab.services.encryption)
    }
    assert found == {
        ("poste", "annuaire.capvoile.test", 636, ""),
        ("poste", "portail.capvoile.test", 443, ""),
        ("portail", "bdd.capvoile.test", 5432, "postgres"),
        ("poste", "proxy.capvoile.test", 3129, ""),
        ("poste", "collab.capvoile.test", 5232, ""),
        ("poste", "partage.capvoile.test", 443, ""),
        ("poste", "tickets.capvoile.test", 443, ""),
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.test/x", ("a.test", 443, "")),
        ("https://a.test:8443", ("a.test", 8443, "")),
        ("ldap://a.test", ("a.test", 389, "ldap")),
        ("http://a.test/", None),
        ("sftp://a.test/", None),
        ("", None),
    ],
)
def test_addresses_that_speak_tls(check: Any, url: str, expected: tuple[str, int, str] | None) -> None:
    endpoint = check.of_url(url)
    assert (endpoint and (endpoint.host, endpoint.port, endpoint.starttls)) == expected


def test_packets_of_a_login_are_those_of_its_server(check: Any, lab: Lab) -> None:
    assert check.packets_of(lab, "portail.capvoile.test") == "(host 172.30.10.20) and not tcp port 22"
    assert check.packets_of(lab, "elsewhere.test") == "not tcp port 22"


def test_cookies_that_are_secrets(check: Any, evidence: Evidence) -> None:
    headers = httpx.Headers(
        [
            ("set-cookie", "SID=0123456789abcdef; Domain=portail.capvoile.test; Path=/; Secure"),
            ("set-cookie", "lang=fr; Expires=Thu, 01 Jan 2037 00:00:00 GMT"),
        ]
    )
    login = WebObservation(evidence, "granted", status=200, headers=headers)
    assert check.cookies(login) == {"SID": "0123456789abcdef"}


@pytest.fixture
def evidence() -> Evidence:
    import datetime

    now = datetime.datetime.now(datetime.UTC)
    return Evidence.of("web.get", source="a", target="b", sent="", received="", at=now, duration=0)
