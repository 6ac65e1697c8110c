"""JUnit XML, for continuous integration: what could not be verified never looks like a success."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from sio_lab.audit.document import AuditDocument, CheckResult, RequirementResult
from sio_lab.reports.visible import visible
from sio_lab.reports.words import OUTCOME, outcome
from sio_lab.text import Lang

filename = "junit.xml"

_TAG = {
    "failed": "failure",
    "unreachable": "error",
    "timeout": "error",
    "error": "error",
    "inconclusive": "error",
    "skipped": "skipped",
}


def render(document: AuditDocument, lang: Lang) -> str:
    """Return ``document`` as JUnit XML: a suite a requirement, a case a check."""
    root = ET.Element("testsuites", name=f"sio-lab {visible(document.lab.name)}")
    total = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for result in document.requirements:
        suite = ET.SubElement(root, "testsuite", name=visible(f"{result.id} {result.title.get(lang)}"))
        suite.set("timestamp", document.started.isoformat(timespec="seconds"))
        suite.set("time", _seconds(check.duration for check in result.checks))
        for check in result.checks:
            _case(suite, check, result, lang)
        if not result.checks:
            _without_check(suite, result, lang)
        for name, tag in (
            ("tests", "testcase"),
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            found = len(suite.findall(f".//{tag}"))
            suite.set(name, str(found))
            total[name] += found
    for name, number in total.items():
        root.set(name, str(number))
    root.set("time", f"{(document.finished - document.started).total_seconds():.3f}")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, check: CheckResult, result: RequirementResult, lang: Lang) -> None:
    path, _, name = check.id.partition("::")
    case = ET.SubElement(suite, "testcase", classname=visible(path.removesuffix(".py").replace("/", ".")))
    case.set("name", visible(name or check.id))
    case.set("time", _seconds([check.duration]))
    ended = outcome(check)
    if tag := _TAG.get(ended):
        reason = check.reason or OUTCOME[ended]
        # What is not required of this lab fails nobody's build.
        tag = "skipped" if result.status == "not_applicable" else tag
        ET.SubElement(case, tag, type=ended, message=visible(reason.get(lang)))
    if check.evidence:
        lines = [
            f"[{e.side}] {e.at:%H:%M:%S} {e.probe} {e.source} → {e.target}\n"
            f"> {e.sent}\n< {e.received}\nsha256 {e.sha256}"
            for e in check.evidence
        ]
        ET.SubElement(case, "system-out").text = visible("\n\n".join(lines))


def _without_check(suite: ET.Element, result: RequirementResult, lang: Lang) -> None:
    """A requirement without a check still shows: skipped, or passed where nothing remains to verify."""
    case = ET.SubElement(suite, "testcase", classname="annexe_ii_e", name=result.id, time="0.000")
    reason = visible(result.reason.get(lang))
    if result.status == "not_satisfied":
        ET.SubElement(case, "failure", type=result.status, message=reason)
    elif result.status != "satisfied":
        ET.SubElement(case, "skipped", type=result.status, message=reason)


def _seconds(durations: Iterable[float]) -> str:
    return f"{sum(durations):.3f}"
