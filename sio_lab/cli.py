"""The command line: commands, options, exit codes. Nothing else lives here."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from rich.console import Console

from sio_lab import __version__, complaint, startup
from sio_lab.language import Command, Group, Option
from sio_lab.text import Lang, Text, lang_of

if TYPE_CHECKING:
    from sio_lab.audits import Audit
    from sio_lab.lab import model


@dataclass(frozen=True, slots=True)
class App:
    """What every command knows: the user's language, and where to write."""

    lang: Lang
    debug: bool
    out: Console
    err: Console

    def say(self, fr: str, en: str) -> None:
        """Print one sentence of result."""
        self.out.print(Text(fr, en).get(self.lang), markup=False, highlight=False, soft_wrap=True)


lab_argument = click.argument("lab", type=click.Path(path_type=Path), default=Path("lab.yml"))
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    cls=Option,
    text=Text("text pour une personne, json pour un programme", "text for people, json for programs"),
)
output_option = click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    cls=Option,
    text=Text(
        "dossier des rapports (défaut : reports/ à côté du labo)",
        "folder of reports (default: reports/ by the lab)",
    ),
)


@click.group(
    cls=Group,
    text=Text(
        "Déclarer, monter et prouver l'environnement technologique du BTS SIO (annexe II.E).\n\n"
        "Partout : --lang fr|en choisit la langue, --debug montre la trace d'une erreur.",
        "Declare, bring up and prove the technology environment of the BTS SIO diploma (Annexe II.E).\n\n"
        "Everywhere: --lang fr|en chooses the language, --debug shows the traceback of an error.",
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="sio-lab")
def sio_lab() -> None:
    """Root of the commands."""


def command(name: str, *, fr: str, en: str) -> Callable[[Callable[..., object]], click.Command]:
    """Add a command, with its help in both languages."""
    return sio_lab.command(name, cls=Command, text=Text(fr, en))


@command("setup", fr="Installer ce qui manque à cette machine.", en="Install what this machine lacks.")
@click.pass_obj
def setup_command(app: App) -> None:
    """Bootstrap the host."""
    from sio_lab.progress import view
    from sio_lab.setup import bootstrap

    with view(app.err, app.lang, Text("Préparation de la machine", "Host set-up")) as report:
        bootstrap.bootstrap(report)
    app.say("Cette machine est prête.", "This machine is ready.")


@command(
    "doctor",
    fr="Dire ce qui manque et la commande qui y remédie, sans rien changer.",
    en="Tell what is missing and the command that mends it, changing nothing.",
)
@format_option
@click.pass_obj
def doctor_command(app: App, format_: str) -> None:
    """Examine the host."""
    from sio_lab.setup import doctor

    findings = doctor.examine()
    doctor.show(findings, app.out, app.lang, as_json=format_ == "json")
    raise SystemExit(0 if all(finding.ok for finding in findings) else 1)


@command("init", fr="Écrire un labo de départ, commenté.", en="Write a commented starter lab.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--option",
    type=click.Choice(["SISR", "SLAM", "both"], case_sensitive=False),
    default="SISR",
    cls=Option,
    text=Text("option du diplôme", "option of the diploma"),
)
@click.pass_obj
def init_command(app: App, folder: Path, option: model.Option) -> None:
    """Write a starter lab."""
    from sio_lab.lab.scaffold import init

    path = init(option, folder, app.lang)
    app.say(
        f"Labo écrit : {path}\nAdaptez-le, puis : sio-lab up {path.parent}",
        f"Lab written: {path}\nAdapt it, then: sio-lab up {path.parent}",
    )


@command(
    "up", fr="Monter le labo ; reprendre ce qui est resté à faire.", en="Bring the lab up; resume what is left."
)
@lab_argument
@click.option(
    "--provision/--no-provision",
    default=None,
    cls=Option,
    text=Text(
        "installer les services ; par défaut, pas sur des machines existantes",
        "install the services; by default, not on machines that exist already",
    ),
)
@click.option(
    "--vault",
    type=(click.Path(dir_okay=False, path_type=Path), click.Path(dir_okay=False, path_type=Path)),
    default=None,
    metavar="FILE PASSWORD_FILE",
    cls=Option,
    text=Text(
        "secrets de l'établissement : coffre ansible-vault et fichier de son mot de passe",
        "the school's own secrets: an ansible-vault file, and the file of its password",
    ),
)
@click.pass_obj
def up_command(app: App, lab: Path, provision: bool | None, vault: tuple[Path, Path] | None) -> None:
    """Bring a lab up."""
    from sio_lab import workflow
    from sio_lab.lab import load
    from sio_lab.progress import view

    loaded = load(lab)
    title = Text(f"Labo {loaded.lab.lab}", f"Lab {loaded.lab.lab}")
    with view(app.err, app.lang, title) as report:
        result = workflow.up(loaded, report, provision=provision, vault=vault)
    if result.changed:
        app.say(
            f"Le labo {loaded.lab.lab} est prêt. Pour le prouver : sio-lab check {lab}",
            f"Lab {loaded.lab.lab} is ready. To prove it: sio-lab check {lab}",
        )
    else:
        app.say(
            f"Le labo {loaded.lab.lab} était déjà en place : rien n'a changé.",
            f"Lab {loaded.lab.lab} was in place already: nothing changed.",
        )
    if result.faults_left:
        app.say(
            f"Pannes encore en place : {', '.join(result.faults_left)}. Pour réparer : sio-lab repair {lab}",
            f"Faults still in place: {', '.join(result.faults_left)}. To repair: sio-lab repair {lab}",
        )


@command(
    "status",
    fr="Montrer l'état des machines, et ce qui est en panne ou coupé.",
    en="Show the state of the machines, and what is broken or cut.",
)
@lab_argument
@format_option
@click.pass_obj
def status_command(app: App, lab: Path, format_: str) -> None:
    """Show machines, journalled faults and cuts."""
    from sio_lab import status
    from sio_lab.lab import load

    status.show(load(lab), app.out, app.lang, as_json=format_ == "json")


@command(
    "check",
    fr="Prouver les exigences et écrire le rapport. Code de sortie : 0 conforme, 1 non conforme, 3 incomplet.",
    en="Prove the requirements and write the report. Exit code: 0 conform, 1 not conform, 3 incomplete.",
)
@lab_argument
@click.option(
    "--disrupt",
    is_flag=True,
    cls=Option,
    text=Text("permettre les preuves qui coupent des services", "allow proofs that cut services"),
)
@click.option(
    "--only",
    multiple=True,
    metavar="ID",
    cls=Option,
    text=Text("seulement cette exigence (1.1.b) ; répétable", "only this requirement (1.1.b); repeatable"),
)
@click.option(
    "--checks",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    cls=Option,
    text=Text("dossier de contrôles en plus ; répétable", "folder of further checks; repeatable"),
)
@output_option
@format_option
@click.pass_obj
def check_command(
    app: App,
    lab: Path,
    disrupt: bool,
    only: Sequence[str],
    checks: Sequence[Path],
    output: Path | None,
    format_: str,
) -> None:
    """Audit a lab."""
    from sio_lab import audits
    from sio_lab.lab import load
    from sio_lab.progress import PROOFS, view
    from sio_lab.verdict import EXIT_CODE

    loaded = load(lab)
    title = Text(f"Audit du labo {loaded.lab.lab}", f"Audit of lab {loaded.lab.lab}")
    with view(app.err, app.lang, title, PROOFS) as report:
        audit = audits.check(loaded, report, app.lang, checks=checks, only=only, disrupt=disrupt, output=output)
    _show(app, audit, format_)
    code = complaint.INTERRUPTED if audit.interrupted else EXIT_CODE[audit.document.verdict]
    if audit.abandoned:
        # A check that is stuck may have left threads that Python would wait for.
        sys.stdout.flush()
        os._exit(code)
    raise SystemExit(code)


@command("report", fr="Réécrire les rapports du dernier audit.", en="Write the reports of the last audit again.")
@lab_argument
@output_option
@format_option
@click.pass_obj
def report_command(app: App, lab: Path, output: Path | None, format_: str) -> None:
    """Render the last audit document again."""
    from sio_lab import audits
    from sio_lab.lab import load

    _show(app, audits.last_audit(load(lab), app.lang, output), format_)


def _show(app: App, audit: Audit, format_: str) -> None:
    """Show an audit, what could not be run, and last of all where its report is."""
    from sio_lab.reports import json, terminal

    for error in audit.broken:
        complaint.complain(error, app.err, app.lang)
    if app.debug:
        for trace in audit.traces:
            app.err.print(trace, markup=False, highlight=False, soft_wrap=True)
    if format_ == "json":
        click.echo(json.render(audit.document), nl=False)
        return
    others = [path for name, path in audit.files.items() if name != "html"]
    terminal.show(audit.document, app.out, app.lang, others)
    app.say(f"Rapport : {audit.files['html']}", f"Report: {audit.files['html']}")


@command("shell", fr="Ouvrir un terminal sur une machine du labo.", en="Open a terminal on a machine of the lab.")
@lab_argument
@click.argument("machine")
@click.pass_obj
def shell_command(app: App, lab: Path, machine: str) -> NoReturn:  # noqa: ARG001  # click passes it
    """Replace this process by ssh."""
    from sio_lab import workflow
    from sio_lab.lab import load

    argv = workflow.shell_command(load(lab), machine)
    os.execvp(argv[0], argv)  # noqa: S606  # the user asked for a terminal


@command("reset", fr="Ramener le labo à son état de référence.", en="Bring the lab back to its reference state.")
@lab_argument
@click.argument("machines", nargs=-1)
@click.pass_obj
def reset_command(app: App, lab: Path, machines: Sequence[str]) -> None:
    """Restore the provisioned snapshot."""
    from sio_lab import workflow
    from sio_lab.lab import load
    from sio_lab.progress import view

    loaded = load(lab)
    title = Text(f"Remise à zéro du labo {loaded.lab.lab}", f"Reset of lab {loaded.lab.lab}")
    with view(app.err, app.lang, title) as report:
        workflow.reset(loaded, report, machines or None)
    app.say("L'état de référence est rétabli.", "The reference state is back.")


@command(
    "break",
    fr="Mettre des pannes dans le labo ; sans nom, lister les pannes.",
    en="Put faults into the lab; without a name, list the faults.",
)
@lab_argument
@click.argument("names", nargs=-1, metavar="[FAULT]...")
@click.pass_obj
def break_command(app: App, lab: Path, names: tuple[str, ...]) -> None:
    """Break something, journalled."""
    from sio_lab import status, workflow
    from sio_lab.lab import load
    from sio_lab.progress import view

    loaded = load(lab)
    if not names:
        status.show_faults(loaded, app.out, app.lang)
        return
    with view(app.err, app.lang, Text("Mise en panne", "Breaking")) as report:
        workflow.break_(loaded, names, report)
    app.say(
        f"Panne en place : {', '.join(names)}. Pour réparer : sio-lab repair {lab}",
        f"Fault in place: {', '.join(names)}. To repair: sio-lab repair {lab}",
    )


@command(
    "repair",
    fr="Défaire toutes les pannes du journal, et ce qu'un contrôle interrompu a laissé coupé.",
    en="Undo every fault of the journal, and what an interrupted check left cut.",
)
@lab_argument
@click.pass_obj
def repair_command(app: App, lab: Path) -> None:
    """Undo journalled faults and cuts."""
    from sio_lab import workflow
    from sio_lab.lab import load
    from sio_lab.progress import view

    with view(app.err, app.lang, Text("Réparation", "Repair")) as report:
        repaired = workflow.repair(load(lab), report)
    if repaired:
        for what in repaired:
            app.say(f"Remis en état : {what.fr}", f"Put right: {what.en}")
    else:
        app.say(
            "Aucune panne ni coupure au journal : rien à réparer.",
            "The journal holds no fault and no cut: nothing to repair.",
        )


@command("down", fr="Retirer le labo, sans rien laisser.", en="Remove the lab, leaving nothing.")
@lab_argument
@click.pass_obj
def down_command(app: App, lab: Path) -> None:
    """Remove a lab."""
    from sio_lab import workflow
    from sio_lab.lab import load
    from sio_lab.progress import view

    loaded = load(lab)
    title = Text(f"Retrait du labo {loaded.lab.lab}", f"Removal of lab {loaded.lab.lab}")
    with view(app.err, app.lang, title) as report:
        changed = workflow.down(loaded, report)
    if changed:
        app.say("Le labo est retiré.", "The lab is gone.")
    else:
        app.say("Il n'y avait rien à retirer.", "There was nothing to remove.")


@command(
    "catalogue",
    fr="Lister les exigences de l'annexe II.E et ce qui les prouve.",
    en="List the requirements of Annexe II.E and what proves them.",
)
@format_option
@click.pass_obj
def catalogue_command(app: App, format_: str) -> None:
    """Print the catalogue."""
    from sio_lab import catalogue
    from sio_lab.reports import catalogue_view

    catalogue_view.show(catalogue.load(), app.out, app.lang, as_json=format_ == "json")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        argv: arguments after the program's name; default: those of the process.
    """
    startup.hurry()
    everywhere = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    everywhere.add_argument("--lang", choices=("fr", "en"), default=lang_of(os.environ))
    everywhere.add_argument("--debug", action="store_true")
    known, rest = everywhere.parse_known_args(sys.argv[1:] if argv is None else list(argv))
    app = App(known.lang, known.debug, Console(), Console(stderr=True))
    sys.exit(_run(app, rest))


def _run(app: App, argv: Sequence[str]) -> int:
    """Run one command; return its exit code, with every error told in the user's language."""
    try:
        with complaint.terminable():
            sio_lab.main(args=list(argv), prog_name="sio-lab", obj=app, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        return complaint.USAGE
    except SystemExit as stop:
        return int(stop.code or 0)
    except BrokenPipeError:
        # The reader went away; without this Python complains once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return complaint.INTERRUPTED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the one place where errors become words
        if app.debug:
            traceback.print_exc()
        told, code = complaint.told(error)
        complaint.complain(told, app.err, app.lang)
        return code
    return 0
