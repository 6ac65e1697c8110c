"""Checks in parallel, their deadlines, and an audit that is interrupted."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from threading import Timer
from time import monotonic, sleep

import pytest
from unit_audit import Audit, FakeSessions

from sio_lab.complaint import terminable


def test_checks_run_in_parallel(audit: Audit) -> None:
    """Each waits for the other: one after the other they would never meet."""
    ran = audit("""
        from threading import Barrier
        MEETING = Barrier(2, timeout=10)

        @requirement("1.1.b", title=T, uses=["dbms"])
        def test_one(proof):
            MEETING.wait()
            both(proof)

        @requirement("1.1.b", title=T, uses=["dbms"])
        def test_two(proof):
            MEETING.wait()
            both(proof)
    """)
    assert [c.outcome for c in ran.findings.checks] == ["passed", "passed"]


def test_two_short_checks_take_the_time_of_one(audit: Audit) -> None:
    ran = audit("""
        @requirement("1.1.b", title=T, uses=["dbms"])
        def test_one(proof):
            both(proof)
            proof.machine("bdd1").run("sleep 0.3")

        @requirement("1.1.b", title=T, uses=["dbms"])
        def test_two(proof):
            both(proof)
            proof.machine("bdd1").run("sleep 0.3")
    """)
    ends = [e.at + timedelta(seconds=e.duration) for c in ran.findings.checks for e in c.evidence]
    begins = [e.at for c in ran.findings.checks for e in c.evidence]
    assert max(ends) - min(begins) < timedelta(seconds=0.5)


EXCLUSION = """
    LOG = Path(__file__).with_suffix(".log")

    def work(name):
        for what in ("begins", "ends"):
            with LOG.open("a") as file:
                file.write(f"{name} {what}\\n")
            time.sleep(0.1)

    @requirement("1.1.b", title=T, uses=["dbms"], intensity="disrupt", {disturbs})
    def test_cut(proof):
        work("cut")
        both(proof)

    @requirement("1.1.b", title=T, uses=["dbms"])
    def test_user(proof):
        work("user")
        both(proof)

    @requirement("1.2", title=T)
    def test_of_everything(proof):
        work("everything")
        both(proof)

    @requirement("1.3.a", title=T, uses=["ticketing"])
    def test_elsewhere(proof):
        both(proof)
"""


@pytest.mark.parametrize("disturbs", ["disturbs=['dbms']", "disturbs=['bdd1']", ""])
def test_what_is_disturbed_is_used_by_nobody_else(audit: Audit, disturbs: str) -> None:
    ran = audit(EXCLUSION.replace("{disturbs}", disturbs), disrupt=True)
    assert [c.outcome for c in ran.findings.checks] == ["passed"] * 4
    log = (audit.folder / "test_it.log").read_text().splitlines()
    assert log.index("cut ends") == log.index("cut begins") + 1
    assert log[-1] == "cut ends"  # disruptions come last


def test_check_past_its_deadline(audit: Audit, sessions: FakeSessions) -> None:
    ran = audit("""
        @requirement("1.1.b", title=T, uses=["dbms"], deadline=0.2)
        def test_stuck(proof):
            both(proof)
            try:
                proof.machine("bdd1").run("sleep 1")
                proof.machine("bdd1").run("too late")
            finally:
                proof.machine("bdd1").run("clean up")
                proof.machine("bdd1").run("clean up more")

        @requirement("1.1.b", title=T, uses=["dbms"])
        def test_other(proof):
            both(proof)
    """)
    assert ran.abandoned  # nobody waited for it
    stuck, other = ran.findings.checks
    assert (stuck.outcome, other.outcome) == ("timeout", "passed")
    assert stuck.reason is not None
    assert stuck.reason.en == "the check did not end within 0.2 s"
    assert stuck.duration == pytest.approx(0.2, abs=0.3)
    assert [e.sent for e in stuck.evidence] == ["yes", "no"]
    sleep(1)
    assert [e.sent for e in stuck.evidence] == ["yes", "no"]
    assert sessions.known["bdd1"].asked[-2:] == ["clean up", "clean up more"]
    assert "too late" not in sessions.known["bdd1"].asked


def test_retry_loops_do_not_swallow_the_end(audit: Audit, sessions: FakeSessions) -> None:
    audit("""
        @requirement("1.1.b", title=T, uses=["dbms"], deadline=0.1)
        def test_stubborn(proof):
            while True:
                try:
                    proof.machine("bdd1").run("sleep 0.05")
                except Exception:
                    pass
    """)
    sleep(0.2)
    asked = len(sessions.known["bdd1"].asked)
    sleep(0.2)
    assert len(sessions.known["bdd1"].asked) == asked


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_interruption_keeps_what_was_learnt(audit: Audit, sessions: FakeSessions, by: signal.Signals) -> None:
    timer = Timer(0.5, os.kill, (os.getpid(), by))
    timer.start()
    start = monotonic()
    with terminable():
        ran = audit("""
            @requirement("1.3.a", title=T, uses=["ticketing"])
            def test_long(proof):
                try:
                    both(proof)
                    proof.machine("bdd1").run("sleep 0.8")
                    proof.machine("bdd1").run("on and on")
                finally:
                    proof.machine("bdd1").run("clean up")

            @requirement("1.1.b", title=T, uses=["dbms"])
            def test_done(proof):
                both(proof)

            @pytest.fixture
            def mine(): pass

            @requirement("1.1.f", title=T, uses=["backup"])
            def test_not_begun(proof, mine):
                both(proof)
        """)
    assert monotonic() - start < 3
    assert ran.interrupted
    assert not ran.abandoned
    assert {c.requirement: c.outcome for c in ran.findings.checks} == {
        "1.3.a": "inconclusive",
        "1.1.b": "passed",
        "1.1.f": "inconclusive",
    }
    long = ran.findings.checks[0]
    assert long.reason is not None
    assert long.reason.en == "audit interrupted before the end"
    assert [e.sent for e in long.evidence] == ["yes", "no"]
    assert "clean up" in sessions.known["bdd1"].asked
    assert "on and on" not in sessions.known["bdd1"].asked


def test_interrupted_disruption_is_undone_first(audit: Audit, sessions: FakeSessions) -> None:
    timer = Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    ran = audit(
        """
        @requirement("1.1.b", title=T, uses=["dbms"], intensity="disrupt")
        def test_cut(proof):
            try:
                proof.machine("bdd1").run("sleep 0.5")
            finally:
                proof.machine("bdd1").run("sleep 1.5")
                proof.machine("bdd1").run("all is well")
        """,
        disrupt=True,
    )
    assert ran.interrupted
    assert sessions.known["bdd1"].asked[-1] == "all is well"
    assert audit.events[-1].step.en == "restoring what was cut"
