"""How each end of a check is told: what did not conclude never passes, what broke is never the lab's fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Outcomes = Callable[..., dict[str, tuple[str, str]]]

ENDINGS = {
    "passed": ("both(proof)", "passed", ""),
    "not refused": (
        "both(proof); proof.refused(proof.machine('bdd1').run('yes'), fr='ouvert', en='open')",
        "failed",
        "open",
    ),
    "plain assertion": ("both(proof); assert 1 == 2, 'one is not two'", "failed", "one is not two"),
    "pytest.fail": ("both(proof); pytest.fail('no good')", "failed", "no good"),
    "failure without evidence": ("assert False", "inconclusive", "nothing was observed (assert False)"),
    "assertion of a library": (
        "both(proof); import unittest; unittest.TestCase().assertEqual(1, 2)",
        "error",
        "error in the check: AssertionError: 1 != 2 (test_it.py:",
    ),
    "unreachable": ("both(proof); proof.machine('bdd1').run('lost')", "unreachable", "bdd1: lost"),
    "timeout": ("both(proof); proof.machine('bdd1').run('slow')", "timeout", "bdd1: too slow"),
    "another machine": ("proof.machine('bdd1').run('other')", "inconclusive", "bdd1: another host key"),
    "probe error": ("both(proof); proof.machine('bdd1').forward('x', 1).__enter__()", "inconclusive", "x:1: conn"),
    "cannot tell": ("raise InconclusiveError(Text('?', 'who knows'))", "inconclusive", "who knows"),
    "unknown secret": ("proof.secret('nothing')", "inconclusive", "this lab has no secret 'nothing'"),
    "unknown machine": ("proof.machine('bdd')", "inconclusive", "no machine 'bdd' — did you mean 'bdd2'"),
    "dead server refuses": (
        "from sio_lab.probes import system\n    both(proof)\n"
        "    proof.refused(system.ssh_greeting(proof.machine('bdd1')), fr='x', en='x')",
        "inconclusive",
        "bdd1:22: the service did not answer",
    ),
    "broken check": ("both(proof); 1 / 0", "error", "error in the check: ZeroDivisionError: division by zero"),
    "sys.exit": ("both(proof); raise SystemExit(0)", "error", "error in the check: SystemExit: 0"),
    "pytest.exit": ("both(proof); pytest.exit('stop all')", "error", "error in the check: Exit"),
    "pytest.skip": ("pytest.skip('not today')", "skipped", "not today"),
    "nothing observed": ("pass", "inconclusive", "nothing was observed"),
    "looked but not judged": ("proof.machine('bdd1').run('yes')", "inconclusive", "nothing was observed"),
    "positive side only": (
        "proof.works(proof.machine('bdd1').run('yes'), fr='x', en='x')",
        "inconclusive",
        "nothing that must be refused was tried",
    ),
    "negative side only": (
        "proof.refused(proof.machine('bdd1').run('no'), fr='x', en='x')",
        "inconclusive",
        "nothing that must work was seen to",
    ),
    "remarks": ("both(proof); proof.remark(fr='a', en='c'); proof.remark(fr='b', en='d')", "passed", "c; d"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "outcome", "reason"), ENDINGS.values(), ids=ENDINGS)
def test_ending(outcomes: Outcomes, body: str, outcome: str, reason: str) -> None:
    (seen,) = outcomes(f"""
@requirement("1.1.b", title=T, uses=["dbms"])
def test_it(proof):
    {body}
""").values()
    assert seen[0] == outcome
    assert reason in seen[1]


def test_one_sided_check_needs_one_side(outcomes: Outcomes) -> None:
    assert outcomes("""
        @requirement("1.1.b", title=T, one_sided="nothing to refuse")
        def test_one(proof):
            proof.works(proof.machine("bdd1").run("yes"), fr="x", en="x")

        @requirement("1.1.b", title=T, one_sided="nothing to refuse")
        def test_none(proof):
            proof.machine("bdd1").run("yes")
    """) == {"test_one": ("passed", ""), "test_none": ("inconclusive", "nothing was observed")}


def test_not_to_run(outcomes: Outcomes) -> None:
    body = """
        @requirement("1.1.b", title=T, uses=["dbms"], intensity="disrupt")
        def test_cut(proof):
            both(proof)

        @requirement("0.a", title=T, uses=["dbms", "cloud"])
        def test_undeclared(proof, service):
            both(proof)
    """
    assert outcomes(body) == {
        "test_cut": ("skipped", "this proof cuts a service: it needs --disrupt"),
        "test_undeclared": ("skipped", "the lab file does not declare services.cloud"),
    }
    assert outcomes(body, disrupt=True)["test_cut"][0] == "passed"
