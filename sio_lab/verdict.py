"""Results × catalogue → conformity. Pure functions: no file, no clock, no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sio_lab import verdict_words as words
from sio_lab.audit.document import (
    AttestationFinding,
    AuditDocument,
    CheckResult,
    LabSummary,
    MachineFinding,
    OptionVerdict,
    RequirementResult,
    Status,
    Verdict,
)
from sio_lab.catalogue.model import AtLeast, Catalogue, Option, Requirement, options_of
from sio_lab.errors import UsageError
from sio_lab.text import Text

EXIT_CODE: Mapping[Verdict, int] = {"conform": 0, "not_conform": 1, "incomplete": 3}

_MET = ("satisfied", "attested")
_SEVERITY: Sequence[Verdict] = ("conform", "incomplete", "not_conform")


def all_of(statuses: Iterable[Status]) -> Status:
    """Return the status of a requirement that needs all of ``statuses``.

    One proven failure decides, whatever could not be verified; nothing at all is ``unverified``.
    """
    counted = [status for status in statuses if status != "not_applicable"]
    for decisive in ("not_satisfied", "unverified", "attested"):
        if decisive in counted:
            return decisive
    return "satisfied" if counted else "unverified"


def at_least(needed: int, statuses: Iterable[Status]) -> Status:
    """Return the status of a requirement that needs ``needed`` of ``statuses``.

    Enough that are met decide. Failing that, it is failed for good only when those that could
    not be verified would not be enough either.
    """
    count = Counter(statuses)
    if count["satisfied"] >= needed:
        return "satisfied"
    if count["satisfied"] + count["attested"] >= needed:
        return "attested"
    possible = count["satisfied"] + count["attested"] + count["unverified"]
    return "unverified" if possible >= needed else "not_satisfied"


def status_of(check: CheckResult) -> Status:
    """Return what ``check`` concludes. A pass that observed nothing concludes nothing."""
    if check.outcome == "failed":
        return "not_satisfied"
    return "satisfied" if check.outcome == "passed" and check.evidence else "unverified"


@dataclass(frozen=True, slots=True)
class _Case:
    """What an audit gathered, beside its checks: the context in which each requirement is judged."""

    options: frozenset[Option]
    training: bool
    machines: Sequence[MachineFinding]
    attestations: Mapping[str, AttestationFinding]
    disrupt: bool
    only: frozenset[str]

    def selected(self, id_: str) -> bool:
        return not self.only or any(id_ == o or id_.startswith(f"{o}.") for o in self.only)


@dataclass(frozen=True, slots=True)
class _Judgement:
    status: Status
    reason: Text
    todo: Text | None = None


def judge(
    catalogue: Catalogue,
    checks: Iterable[CheckResult],
    *,
    option: str,
    purpose: str,
    machines: Sequence[MachineFinding] = (),
    attestations: Mapping[str, AttestationFinding] | None = None,
    disrupt: bool = False,
    only: Collection[str] = (),
) -> list[RequirementResult]:
    """Judge every requirement of the lab's option, in the order of the annexe.

    Args:
        catalogue: the requirements.
        checks: results of the checks, in any order.
        option: ``SISR``, ``SLAM`` or ``both``.
        purpose: ``training`` or ``certification``.
        machines: machines as they were found; 1.2 shows their natures.
        attestations: examined documents, by requirement.
        disrupt: whether proofs that cut services were allowed.
        only: requirements (or sections) that the audit was limited to; empty for all.

    Raises:
        UsageError: a check or an attestation names a requirement that does not exist.
    """
    by_id: dict[str, list[CheckResult]] = {id_: [] for id_ in catalogue.ids()}
    for check in checks:
        if check.requirement not in by_id:
            raise _unknown(check.requirement, check.id)
        by_id[check.requirement].append(check)
    for id_ in attestations or {}:
        if id_ not in by_id:
            raise _unknown(id_, "attestations")
    case = _Case(
        options=options_of(option),
        training=purpose == "training",
        machines=machines,
        attestations=attestations or {},
        disrupt=disrupt,
        only=frozenset(only),
    )

    rows = [(s, r) for s, r in catalogue.rows() if not case.options.isdisjoint(s.options)]
    groups = catalogue.groups()
    judged: dict[str, _Judgement] = {}
    # Heads of groups stand before their members and rest on them.
    for _, row in sorted(rows, key=lambda pair: isinstance(pair[1].rule, AtLeast)):
        judged[row.id] = _judge(row, by_id[row.id], judged, case)
    return [
        RequirementResult(
            id=row.id,
            title=row.wording,
            section=Text(f"{section.id} — {section.title.fr}", f"{section.id} — {section.title.en}"),
            place=section.place(row),
            expected=row.proof,
            group=groups.get(row.id, ""),
            mandatory=not row.informational and row.id not in groups,
            status=judged[row.id].status,
            reason=judged[row.id].reason,
            todo=None if row.informational or _spared(row.id, groups, judged) else judged[row.id].todo,
            attestation=case.attestations.get(row.id),
            checks=by_id[row.id],
        )
        for section, row in rows
    ]


def option_verdicts(
    catalogue: Catalogue, results: Sequence[RequirementResult], option: str
) -> list[OptionVerdict]:
    """Return the verdict for each option of the lab; only what is mandatory counts."""
    options = {row.id: section.options for section, row in catalogue.rows()}
    verdicts = []
    for each in sorted(options_of(option)):
        statuses = [r.status for r in results if r.mandatory and each in options[r.id]]
        verdicts.append(OptionVerdict(option=each, verdict=verdict_of(statuses), **_counts(statuses)))
    return verdicts


def verdict_of(statuses: Collection[Status]) -> Verdict:
    """Return the verdict over the mandatory requirements; none at all proves nothing."""
    if "not_satisfied" in statuses:
        return "not_conform"
    return "incomplete" if "unverified" in statuses or not statuses else "conform"


def build_document(
    catalogue: Catalogue,
    checks: Iterable[CheckResult],
    *,
    tool_version: str,
    lab: LabSummary,
    machines: Sequence[MachineFinding],
    attestations: Mapping[str, AttestationFinding],
    started: datetime,
    finished: datetime,
    disrupt: bool,
    only: Collection[str] = (),
) -> AuditDocument:
    """Judge the checks and return the audit document. See ``judge`` for the arguments it shares."""
    results = judge(
        catalogue,
        checks,
        option=lab.option,
        purpose=lab.purpose,
        machines=machines,
        attestations=attestations,
        disrupt=disrupt,
        only=only,
    )
    verdicts = option_verdicts(catalogue, results, lab.option)
    return AuditDocument(
        tool_version=tool_version,
        catalogue_version=catalogue.version,
        lab=lab,
        started=started,
        finished=finished,
        disrupt=disrupt,
        verdict=max((v.verdict for v in verdicts), key=_SEVERITY.index),
        verdicts=verdicts,
        machines=list(machines),
        requirements=results,
    )


def _counts(statuses: Sequence[Status]) -> dict[Status, int]:
    count = Counter(statuses)
    every: tuple[Status, ...] = ("satisfied", "not_satisfied", "attested", "unverified", "not_applicable")
    return {status: count[status] for status in every}


def _judge(
    row: Requirement, checks: Sequence[CheckResult], judged: Mapping[str, _Judgement], case: _Case
) -> _Judgement:
    if case.training and "training" not in row.purposes:
        return _Judgement("not_applicable", words.training(case.machines))
    if isinstance(row.rule, AtLeast):
        found = _group(row, row.rule, checks, judged, case)
    else:
        found = _by_checks(row, checks, case)
    return _attested(found, case.attestations.get(row.id))


def _by_checks(row: Requirement, checks: Sequence[CheckResult], case: _Case) -> _Judgement:
    deciding = [c for c in checks if not (case.training and c.nature_only)]
    if row.informational and all(c.outcome == "skipped" for c in deciding):
        return _Judgement("not_applicable", words.advice())
    if not deciding:
        if case.selected(row.id):
            return _Judgement("unverified", words.no_check(), words.no_check_todo())
        return _Judgement("unverified", words.not_selected(), words.not_selected_todo())
    status = all_of(status_of(c) for c in deciding)
    if status == "satisfied":
        return _Judgement(status, words.proven(len(deciding)))
    to_tell = [c for c in deciding if status_of(c) == status]
    return _Judgement(status, words.told(to_tell, of=len(deciding)), words.todo(to_tell[0], disrupt=case.disrupt))


def _group(
    row: Requirement,
    rule: AtLeast,
    checks: Sequence[CheckResult],
    judged: Mapping[str, _Judgement],
    case: _Case,
) -> _Judgement:
    members = {id_: judged[id_].status for id_ in rule.of}
    group = _Judgement(
        at_least(rule.at_least, members.values()),
        words.group(rule.at_least, len(members), [id_ for id_, status in members.items() if status in _MET]),
    )
    if group.status not in _MET:
        group = _Judgement(group.status, group.reason, words.group_todo(rule.of))
    if not row.own_checks and not checks:
        return group
    own = _by_checks(row, checks, case)
    status = all_of((own.status, group.status))
    decisive = [part for part in (own, group) if part.status == status]
    reason = words.joined([part.reason for part in decisive])
    return _Judgement(status, reason, decisive[0].todo)


def _attested(found: _Judgement, attestation: AttestationFinding | None) -> _Judgement:
    """Lay an attestation over what was found: it only ever replaces ``unverified``."""
    if attestation is None or found.status in ("satisfied", "attested", "not_applicable"):
        return found
    if found.status == "unverified" and attestation.state == "valid":
        return _Judgement("attested", words.attested(attestation))
    return _Judgement(found.status, words.joined([found.reason, words.attestation_void(attestation)]), found.todo)


def _spared(id_: str, groups: Mapping[str, str], judged: Mapping[str, _Judgement]) -> bool:
    """Whether ``id_`` is a member of a group that is met without it."""
    return id_ in groups and judged[groups[id_]].status in _MET


def _unknown(id_: str, where: str) -> UsageError:
    return UsageError(
        Text(f"l'annexe II.E n'a pas d'exigence « {id_} »", f"Annexe II.E has no requirement '{id_}'"),
        where=where,
        todo=Text("liste des exigences : sio-lab catalogue", "list of requirements: sio-lab catalogue"),
    )
