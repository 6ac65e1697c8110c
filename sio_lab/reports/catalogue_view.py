"""The catalogue for readers: a table on a terminal, plain lines in a pipe, JSON for programs."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from sio_lab.catalogue.model import AtLeast, Catalogue, Requirement
from sio_lab.text import Lang, Text


def show(catalogue: Catalogue, console: Console, lang: Lang, *, as_json: bool = False) -> None:
    """Print the whole catalogue on ``console``."""
    if as_json:
        click.echo(catalogue.model_dump_json(indent=2), file=console.file)
    elif console.is_terminal:
        _tables(catalogue, console, lang)
    else:
        for section, row in catalogue.rows():
            fields = (
                row.id,
                ",".join(section.options),
                _rule(row).get(lang),
                row.wording.get(lang),
                row.proof.get(lang),
            )
            click.echo("\t".join(fields), file=console.file)


def _tables(catalogue: Catalogue, console: Console, lang: Lang) -> None:
    title = Text("Annexe II.E — exigences et preuves", "Annexe II.E — requirements and proofs")
    console.print(Styled(f"{title.get(lang)} ({catalogue.version})", "bold"))
    for section in catalogue.sections:
        console.print()
        console.print(Styled(f"{section.id} — {section.title.get(lang)}", "bold cyan"))
        table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
        table.add_column(width=6, no_wrap=True)
        table.add_column(ratio=1)
        for row in section.requirements:
            text = Styled(row.wording.get(lang), "bold")
            if row.rule != "all" or len(row.purposes) == 1:
                text.append(f" ({_rule(row).get(lang)})", "not bold yellow")
            text.append(f"\n{row.proof.get(lang)}", "not bold dim")
            table.add_row(Styled(row.id, "cyan"), text)
        console.print(table)


def _rule(row: Requirement) -> Text:
    if isinstance(row.rule, AtLeast):
        needed, members = row.rule.at_least, len(row.rule.of)
        return Text(f"au moins {needed} sur {members}", f"at least {needed} of {members}")
    if row.informational:
        return Text("pour information", "for information")
    if row.purposes == ["certification"]:
        return Text("en certification", "in certification")
    return Text("obligatoire", "mandatory")
