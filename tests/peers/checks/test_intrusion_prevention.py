"""1.3.b: which bad logins count. Stands in for the login: an answer that does not come takes seconds to miss."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from check_module import check_module
from lab_runner import ROOT

from sio_lab.errors import InconclusiveError, ProbeTimeout
from sio_lab.lab import load
from sio_lab.text import Text

SERVICE = load(ROOT / "inventories" / "sisr").lab.services.intrusion_prevention
assert SERVICE


@pytest.fixture
def check() -> ModuleType:
    return check_module("common/test_intrusion_prevention.py")


def insist(check: ModuleType, answers: Iterator[bool], *, connects: bool) -> int:
    """Let ``insist`` meet a login that answers or not; return how many logins it made."""
    made = 0

    def bad_login(*_: Any) -> None:
        nonlocal made
        made += 1
        if not next(answers):
            raise ProbeTimeout(Text("pas de réponse", "no answer"), where="portail")

    seen = SimpleNamespace(granted=connects)
    vars(check).update(bad_login=bad_login, look=lambda *_, **__: seen)
    check.insist(None, SERVICE, None)
    return made


def test_a_login_without_answer_does_not_count(check: ModuleType) -> None:
    answers = [True, False, *[True] * SERVICE.attempts]
    # All but the one before, and one in vain.
    assert insist(check, iter(answers), connects=True) == SERVICE.attempts


def test_who_connects_no_more_is_banned(check: ModuleType) -> None:
    assert insist(check, iter([True, False]), connects=False) == 2


def test_logins_that_are_never_answered_prove_nothing(check: ModuleType) -> None:
    with pytest.raises(InconclusiveError, match="no answer"):
        insist(check, iter([False] * 50), connects=True)
