"""Audits, from their start to their reports: what `check` and `report` do. Prints nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from sio_lab import __version__, catalogue, paths, verdict
from sio_lab.audit import attestations, ground
from sio_lab.audit.document import AuditDocument
from sio_lab.audit.engine import Findings
from sio_lab.audit.run import run_audit
from sio_lab.audit.selection import Selection
from sio_lab.audit.summary import summarise
from sio_lab.errors import SioLabError, UsageError
from sio_lab.lab import LoadedLab
from sio_lab.providers.base import Reporter
from sio_lab.reports import formats
from sio_lab.text import Lang, Text


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit.

    Attributes:
        document: what it came to.
        files: where its reports were written, by format.
        interrupted: whether the user stopped it before its end.
        broken: checks that could not be run, and why.
        traces: traceback of each check that is itself broken.
        abandoned: whether threads of checks that lasted too long may still be there.
    """

    document: AuditDocument
    files: Mapping[str, Path]
    interrupted: bool = False
    broken: Sequence[SioLabError] = ()
    traces: Sequence[str] = ()
    abandoned: bool = False


def check(
    loaded: LoadedLab,
    report: Reporter,
    lang: Lang,
    *,
    checks: Sequence[Path] = (),
    only: Sequence[str] = (),
    disrupt: bool = False,
    output: Path | None = None,
) -> Audit:
    """Prove what the lab claims, and write the reports.

    Args:
        loaded: the lab.
        report: told of each check as it starts and ends.
        lang: language of the reports that have only one.
        checks: folders of checks, beside those of the tool.
        only: requirements or sections to prove; default: all.
        disrupt: whether checks may cut services.
        output: folder of the reports; default: ``reports`` beside the lab file.

    Raises:
        UsageError: the lab is not up, or a requirement does not exist.
        SioLabError: the lab is held by another command, or the reports cannot be written.
    """
    Selection(loaded.lab, only)  # a requirement that does not exist is told before anything is done
    started = datetime.now(UTC)
    with ground.of_lab(loaded, report) as opened:
        ran = run_audit(opened, [paths.data("checks"), *checks], report, only=only, disrupt=disrupt)
    document = document_of(loaded, ran.findings, started, disrupt=disrupt, only=only)
    files = formats.write(document, _reports(loaded, output), lang)
    return Audit(document, files, ran.interrupted, ran.broken, ran.findings.traces, ran.abandoned)


def document_of(
    loaded: LoadedLab, findings: Findings, started: datetime, *, disrupt: bool, only: Sequence[str]
) -> AuditDocument:
    """Return the audit document of what was found since ``started``."""
    lab, finished = loaded.lab, datetime.now(UTC)
    return verdict.build_document(
        catalogue.load(),
        findings.checks,
        tool_version=__version__,
        lab=summarise(lab, loaded.path),
        machines=findings.machines,
        attestations=attestations.examine(lab.attestations, loaded.path.parent, finished.astimezone().date()),
        started=started,
        finished=finished,
        disrupt=disrupt,
        only=only,
    )


def last_audit(loaded: LoadedLab, lang: Lang, output: Path | None = None) -> Audit:
    """Read the last audit document of the lab and write its reports again.

    Raises:
        UsageError: there is none, it is another lab's, or it cannot be read.
    """
    folder = _reports(loaded, output)
    file = folder / formats.FORMATS["json"].filename
    again = Text(f"faites-en un : sio-lab check {loaded.path}", f"make one: sio-lab check {loaded.path}")
    try:
        document = AuditDocument.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            Text("ce labo n'a pas encore d'audit", "this lab has no audit yet"), where=str(file), todo=again
        ) from error
    except ValidationError as error:
        raise UsageError(
            Text(
                "ce n'est pas un document d'audit de cette version de sio-lab",
                "not an audit document of this version of sio-lab",
            ),
            where=str(file),
            todo=again,
        ) from error
    if document.lab.name != loaded.lab.lab:
        raise UsageError(
            Text(
                f"c'est l'audit du labo « {document.lab.name} »", f"this is the audit of lab '{document.lab.name}'"
            ),
            where=str(file),
            todo=again,
        )
    return Audit(document, formats.write(document, folder, lang))


def _reports(loaded: LoadedLab, output: Path | None) -> Path:
    return output or loaded.path.parent / "reports"
