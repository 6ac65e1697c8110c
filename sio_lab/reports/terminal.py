"""The audit in a terminal: the verdict, each requirement, what is missing and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Styled

from sio_lab.audit.document import AuditDocument, OptionVerdict, RequirementResult
from sio_lab.reports.next_steps import next_steps
from sio_lab.reports.visible import visible
from sio_lab.reports.words import (
    OPTION,
    PURPOSE,
    STATUS,
    STATUS_MARK,
    STATUS_STYLE,
    VERDICT,
    VERDICT_AS,
    VERDICT_MEANS,
    remarks,
)
from sio_lab.text import Lang, Text


def show(
    document: AuditDocument, console: Console, lang: Lang, files: Mapping[str, Path] | Sequence[Path]
) -> None:
    """Print ``document`` on ``console``, and where its reports are; plain lines in a pipe."""
    paths = list(files.values()) if isinstance(files, Mapping) else list(files)
    if console.is_terminal:
        _styled(document, console, lang, paths)
    else:
        _plain(document, console, lang, paths)


def _heading(document: AuditDocument, lang: Lang) -> str:
    lab = document.lab
    what = (lab.title, OPTION[lab.option].get(lang), PURPOSE[lab.purpose].get(lang))
    return visible(" · ".join(what))


def _counts(verdict: OptionVerdict, lang: Lang) -> list[tuple[str, str]]:
    """Return ``(style, "✔ conforme 3")`` of each status that is there."""
    return [
        (STATUS_STYLE[status], f"{STATUS_MARK[status]} {word.get(lang)} {number}")
        for status, word in STATUS.items()
        if (number := getattr(verdict, status))
    ]


def _plain(document: AuditDocument, console: Console, lang: Lang, paths: Sequence[Path]) -> None:
    """One line a requirement, made to be cut and searched."""
    lines = [_heading(document, lang)]
    for result in document.requirements:
        fields = [result.id, STATUS[result.status].get(lang), result.title.get(lang)]
        if result.status != "satisfied":
            fields.append(result.reason.get(lang))
        fields += [remark.get(lang) for remark in remarks(result)]
        if result.todo:
            fields.append(f"→ {result.todo.get(lang)}")
        lines.append("\t".join(" ".join(field.split()) for field in fields))
    for each in document.verdicts:
        counts = ", ".join(words for _, words in _counts(each, lang))
        lines.append(f"{OPTION[each.option].get(lang)}\t{VERDICT[each.verdict].get(lang)}\t{counts}")
    lines += [str(path) for path in paths]
    for line in lines:
        click.echo(visible(line), file=console.file)  # rich would turn tabs into spaces


def _styled(document: AuditDocument, console: Console, lang: Lang, paths: Sequence[Path]) -> None:
    section = ""
    for result in document.requirements:
        if result.section.get(lang) != section:
            section = result.section.get(lang)
            console.print()
            console.print(Styled(visible(section), "bold"))
        console.print(_row(result, lang))
    _next_steps(document, console, lang)
    console.print()
    console.print(_verdict(document, lang))
    if paths:
        console.print(Styled(Text("Rapports :", "Reports:").get(lang), "bold"))
        for path in paths:
            # Not folded: a path is made to be copied.
            console.print(Styled(f"  {visible(str(path))}", "cyan"), soft_wrap=True)


def _row(result: RequirementResult, lang: Lang) -> Table:
    style = STATUS_STYLE[result.status]
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), expand=True)
    table.add_column(width=7, no_wrap=True, justify="left")
    table.add_column(width=17, no_wrap=True)
    table.add_column(ratio=1)
    text = Styled(visible(result.title.get(lang)))
    # Why something is not verified stands under "what to do next"; why a document does not count, nowhere else.
    if result.status not in ("satisfied", "unverified") or (result.status == "unverified" and result.attestation):
        text.append(f"\n{visible(result.reason.get(lang))}", "dim" if result.status != "not_satisfied" else "red")
    for remark in remarks(result):
        text.append(f"\n{visible(remark.get(lang))}", "dim")
    indent = " " if result.group else ""
    status = Styled(f"{STATUS_MARK[result.status]} {STATUS[result.status].get(lang)}", style)
    table.add_row(Styled(f"{indent}{result.id}", "cyan"), status, text)
    return table


def _next_steps(document: AuditDocument, console: Console, lang: Lang) -> None:
    steps = next_steps(document)
    if not steps:
        return
    console.print()
    console.print(Styled(Text("À faire", "What to do next").get(lang), "bold"))
    for step in steps:
        line = Styled(f"{STATUS_MARK[step.status]} ", STATUS_STYLE[step.status])
        line.append(", ".join(result.id for result in step.results), "cyan")
        if len(step.results) == 1:
            line.append(f"  {visible(step.results[0].reason.get(lang))}", "default")
        console.print(line)
        console.print(Padding(Styled(f"→ {visible(step.todo.get(lang))}"), (0, 0, 0, 2)))


def _verdict(document: AuditDocument, lang: Lang) -> Panel:
    parts: list[RenderableType] = []
    for each in document.verdicts:
        as_status = VERDICT_AS[each.verdict]
        words = Styled("\n" if parts else "")
        words.append(
            f"{STATUS_MARK[as_status]} {VERDICT[each.verdict].get(lang).upper()}",
            f"bold {STATUS_STYLE[as_status]}",
        )
        words.append(f" — {OPTION[each.option].get(lang)}\n{VERDICT_MEANS[each.verdict].get(lang)}")
        # In columns: a count is never broken over two lines.
        parts += [words, Columns([Styled(*reversed(count)) for count in _counts(each, lang)], padding=(0, 2))]
    return Panel(
        Group(*parts),
        title=Styled(_heading(document, lang)),
        title_align="left",
        border_style=STATUS_STYLE[VERDICT_AS[document.verdict]],
    )
