"""3.1.a: development environments with a framework, test tools, two languages and an IDE."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import partial

from sio_lab import parallel
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.software import Development, DevelopmentEnvironment
from sio_lab.probes import account, ide
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Ran
from sio_lab.text import Text

LONG = 60
"""Seconds that one command may take."""
FILES = {
    "python": "py", "php": "php", "java": "java", "kotlin": "kts?", "javascript": "m?js", "typescript": "ts",
    "c": "c", "c++": "cpp|cc", "c#": "cs", "csharp": "cs", "go": "go", "rust": "rs", "ruby": "rb", "dart": "dart",
    "swift": "swift",
}  # fmt: skip
"""How the files of each language end (regular expression)."""
AT_ONCE = 3


@requirement(
    "3.1.a",
    title=Text("Projet, essais, débogage, éditeur", "Project, tests, debugging, editor"),
    uses=["development"],
    deadline=240,
)
def test_projects_and_their_tests(proof: Proof, service: Development) -> None:
    """In each environment a project is made from its framework, and its tests tell right from wrong.

    Satisfied: as a developer, in an empty folder, each environment makes a project of its language that names its
    framework; its tests pass; with a test that cannot pass, they end with another status and say so; under the
    debugger, where one is declared, the value of a variable drawn for the occasion shows. The environments are of
    two languages at least. The IDE opens a file in a window. All is removed in the end.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: the machine does not answer in time, a language is not known here, or no display can be made.
    Reads: services.development.
    """
    machine = proof.machine(service.machines[0])
    folder = account.place()
    parts: list[Callable[[], object]] = [
        partial(judge_environment, proof, machine, service, name, f"{folder}/{name}")
        for name in service.environments
    ]
    # Names of environments begin with a letter.
    parts.append(partial(judge_ide, proof, machine, service, f"{folder}/0"))
    with proof.put_back(machine.name, account.removal(folder)):
        proof.works(
            machine.run(account.make(folder, service.user, *service.environments, "0")),
            fr=f"aucun dossier ne peut être fait pour {service.user}",
            en=f"no folder can be made for {service.user}",
        )
        parallel.each(lambda part: part(), parts, workers=AT_ONCE)
    judge_languages(proof, service)


def judge_environment(proof: Proof, machine: Machine, service: Development, name: str, folder: str) -> None:
    """Judge one environment, in its empty ``folder``."""
    environment = service.environments[name]

    def run(command: str, **values: str) -> Ran:
        filled = account.filled(command, folder=folder, **values)
        return machine.run(account.under(service.user, filled, seconds=LONG), deadline=LONG + 5)

    def fails(ran: Ran) -> bool:
        where = f"services.development.environments.{name}.failure"
        return account.said(environment.failure, ran.stdout + ran.stderr, where=where)

    proof.works(
        run(environment.create),
        fr=f"{name} : aucun projet ne se crée",
        en=f"{name}: no project can be made",
    )
    judge_project(proof, machine, name, environment, folder)
    first = run(environment.test)
    proof.works(
        first, fr=f"{name} : les essais d'un projet neuf échouent", en=f"{name}: a new project's tests fail"
    )
    proof.works(
        run(environment.wrong_test), fr=f"{name} : aucun essai ne s'ajoute", en=f"{name}: no test can be added"
    )
    wrong = run(environment.test)
    proof.holds(
        not wrong.granted and fails(wrong) and not fails(first),
        first,
        wrong,
        side="negative",
        fr=f"{name} : un essai qui ne peut pas passer n'est pas signalé en échec",
        en=f"{name}: a test that cannot pass is not reported as failing",
    )
    if environment.debug:
        value = secrets.token_hex(6)
        shown = run(environment.debug, value=value)
        proof.holds(
            shown.granted and value in shown.stdout,
            shown,
            side="positive",
            fr=f"{name} : le débogueur ne montre pas la valeur de la variable",
            en=f"{name}: the debugger does not show the value of the variable",
        )


def judge_project(
    proof: Proof, machine: Machine, name: str, environment: DevelopmentEnvironment, folder: str
) -> None:
    """Judge that what was made is a project of the declared language, from the declared framework.

    Raises:
        InconclusiveError: nobody knows here what files of that language are called.
    """
    ending = FILES.get(environment.language.lower())
    if ending is None:
        raise InconclusiveError(
            Text(
                f"les fichiers du langage « {environment.language} » ne sont pas connus",
                f"what files of the language '{environment.language}' are called is not known",
            ),
            where=f"services.development.environments.{name}.language",
            todo=Text("joignez une attestation pour 3.1.a", "add an attestation for 3.1.a"),
        )
    words = re.findall(r"\w{3,}", environment.framework) or [environment.framework]
    options = " ".join(f"-e {word}" for word in words)
    seen = machine.run(
        f"cd {folder} && find . -type f -regextype posix-extended -regex '.*\\.({ending})' | head -n 20; "
        f"grep -rliF {options} . | head -n 3 | sed 's/^/names it: /'"
    )
    lines = seen.stdout.splitlines()
    naming = [line for line in lines if line.startswith("names it: ")]
    proof.holds(
        len(lines) > len(naming),
        seen,
        side="positive",
        fr=f"{name} : le projet créé n'a aucun fichier {environment.language}",
        en=f"{name}: the project has no {environment.language} file",
    )
    proof.holds(
        bool(naming),
        seen,
        side="positive",
        fr=f"{name} : rien dans le projet créé ne nomme {environment.framework}",
        en=f"{name}: nothing in the project names {environment.framework}",
    )


def judge_ide(proof: Proof, machine: Machine, service: Development, folder: str) -> None:
    """Judge that the IDE opens a file."""
    mark = f"temoin-{secrets.token_hex(4)}"
    file = f"{folder}/{mark}.py"
    written = machine.run(f"echo 'print(1)' >{file} && chown --reference={folder} {file}")
    proof.works(written, fr="le fichier à ouvrir ne s'écrit pas", en="the file to be opened cannot be written")
    command = account.filled(service.ide, file=file)
    seen = ide.opened(machine, service.user, command, folder, mark=mark)
    proof.works(seen, fr="l'éditeur n'ouvre aucune fenêtre", en="the editor opens no window")
    proof.holds(
        account.said(service.ide_window, "\n".join(seen.titles), where="services.development.ide_window"),
        seen,
        side="positive",
        fr=f"aucune fenêtre n'a le titre attendu ({', '.join(seen.titles)})",
        en=f"no window has the expected title ({', '.join(seen.titles)})",
    )


def judge_languages(proof: Proof, service: Development) -> None:
    """Judge that the environments are of two languages, by the files that each was seen to make."""
    kinds = {FILES[environment.language.lower()] for environment in service.environments.values()}
    proof.holds(
        len(kinds) > 1,
        side="positive",
        fr="les environnements sont tous du même langage : il en faut deux",
        en="all environments are of the same language: two are needed",
    )
