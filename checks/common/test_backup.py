"""1.1.f: backup and restoration; 1.3.c, for its part: a repository that cannot be read without its key."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.services import Backup
from sio_lab.probes import system
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Ran
from sio_lab.text import Text

WRONG_KEY = {"borg": "BORG_PASSPHRASE=wrong", "restic": "RESTIC_PASSWORD=wrong RESTIC_PASSWORD_FILE="}
"""What makes a product's commands use a passphrase that is not the repository's."""


@requirement(
    "1.1.f", title=Text("Sauvegarde et restauration", "Backup and restoration"), uses=["backup"], deadline=120
)
def test_backup_and_restoration(proof: Proof, service: Backup) -> None:
    """A file made for the purpose is backed up, deleted, restored, and comes back the same.

    Satisfied: the last scheduled backup is recent enough; the file comes back the same; the repository verifies,
    is kept on another machine, and neither the file nor its name can be read in it.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer, or nothing was written where the repository is declared to be.
    Reads: services.backup.
    """
    source, keeper = proof.machine(service.source), proof.machine(service.machines[0])
    here, there = system.identify(source), system.identify(keeper)
    proof.holds(
        here.machine_id != there.machine_id,
        here,
        there,
        side="negative",
        fr="la sauvegarde est gardée sur la machine même qu'elle protège",
        en="the backup is kept on the very machine that it protects",
    )
    listed = archives(proof, source, service)
    scheduled = [time for name, time in listed.items() if name.startswith(service.scheduled)]
    last = max(scheduled, default=None)
    oldest = service.max_age_hours
    proof.holds(
        last is not None and datetime.now(UTC) - last < timedelta(hours=oldest),
        side="positive",
        fr=f"dernière sauvegarde planifiée : {last or 'aucune'} ; il la faut de moins de {oldest} h",
        en=f"last scheduled backup: {last or 'none'}; it must be less than {oldest} h old",
    )
    with sentinel(proof, source, service) as planted:
        made = back_up(proof, source, service, known=listed)
        proof.works(
            source.run(f"rm {planted.path}"),
            fr="le fichier témoin ne s'efface pas",
            en="the file cannot be deleted",
        )
        _, same = restored(source, service, planted, made)
        proof.works(
            same,
            fr="le fichier restauré manque ou diffère de l'original",
            en="the restored file is missing or differs from the original",
        )
        readable = search(keeper, service.repository, planted)
        proof.holds(
            not readable.found,
            readable.ran,
            side="negative",
            fr=f"le dépôt se lit sans clé : {readable.found}",
            en=f"the repository can be read without its key: {readable.found}",
        )
    proof.works(
        source.run(service.verify, deadline=60),
        fr="la vérification du dépôt échoue",
        en="the verification of the repository fails",
    )


@requirement(
    "1.3.c", title=Text("Chiffrement des sauvegardes", "Encryption of backups"), uses=["backup"], deadline=90
)
def test_backup_encryption(proof: Proof, service: Backup) -> None:
    """The repository gives its content to who has its key, and to nobody else.

    Satisfied: a file made for the purpose is found by its bytes on the source, restored with the key, not found
    in the raw files of the repository, and not restored with another passphrase.
    Not satisfied: the repository can be read without its key, or with it cannot.
    Unverified: a machine does not answer, or nothing was written where the repository is declared to be.
    Reads: services.backup.
    """
    source, keeper = proof.machine(service.source), proof.machine(service.machines[0])
    with sentinel(proof, source, service) as planted:
        control = search(source, service.path, planted)
        if not control.found:
            raise InconclusiveError(
                Text("la recherche ne trouve pas un fichier en clair", "the search does not find a file in clear"),
                where=service.source,
            )
        made = back_up(proof, source, service, known=archives(proof, source, service))
        archive, with_key = restored(source, service, planted, made)
        proof.works(with_key, fr="avec sa clé, rien n'est rendu", en="with its key, nothing comes back")
        readable = search(keeper, service.repository, planted)
        proof.holds(
            not readable.found,
            readable.ran,
            side="negative",
            fr=f"le dépôt se lit sans clé : {readable.found}",
            en=f"the repository can be read without its key: {readable.found}",
        )
        if service.product in WRONG_KEY:
            proof.refused(
                source.run(
                    f"rm -rf {planted.target}/*; export {WRONG_KEY[service.product]}; "
                    f"{restore(service, archive, planted)} && sha256sum -c {planted.sums}",
                    deadline=30,
                ),
                fr="une phrase secrète fausse rend le fichier",
                en="a wrong passphrase gives the file back",
            )


@dataclass(frozen=True, slots=True)
class Planted:
    """A file made for the purpose, and where it is to come back.

    Attributes:
        path: the file.
        name: its name, which nothing else bears.
        pattern: its bytes, for ``grep -P``: random, so that no compression hides them.
        target: folder that it is restored below.
        sums: its checksum, for ``sha256sum -c`` in that folder.
    """

    path: str
    name: str
    pattern: str
    target: str
    sums: str


@contextmanager
def sentinel(proof: Proof, source: Machine, service: Backup) -> Iterator[Planted]:
    """Plant a file in what is backed up; remove it, and what was restored of it, whatever happens."""
    name = f"sio-lab-{secrets.token_hex(8)}"
    content = bytes(secrets.choice(range(128, 256)) for _ in range(64))
    path = f"{service.path.rstrip('/')}/{name}"
    target = f"/var/tmp/{name}"  # noqa: S108  # made by mkdir, which fails where something is there already
    octal = "".join(f"\\{byte:o}" for byte in content)
    planted = Planted(path, name, "".join(f"\\x{byte:02x}" for byte in content), target, f"{target}/sums")
    with proof.put_back(source.name, f"rm -rf {path} {target}"):
        made = source.run(
            f"set -e; umask 077; mkdir {target}; printf '{octal}' >{path}; cd {target}; "
            f"sha256sum {path} | sed 's|  /|  {target}/|' >sums"
        )
        proof.works(made, fr="le fichier témoin ne s'écrit pas", en="the file cannot be written")
        yield planted


def archives(proof: Proof, source: Machine, service: Backup) -> dict[str, datetime]:
    """Return the time of each archive, by name.

    Raises:
        NotSatisfiedError: the repository cannot be listed.
        InconclusiveError: the command prints something else than was declared.
    """
    listed = source.run(service.list_json, deadline=30)
    proof.works(listed, fr="les sauvegardes ne se listent pas", en="backups cannot be listed")
    try:
        return {
            row["name"]: datetime.fromisoformat(row["time"]).astimezone(UTC) for row in json.loads(listed.stdout)
        }
    except (ValueError, KeyError, TypeError) as error:
        raise InconclusiveError(
            Text(
                f"la liste des sauvegardes n'est pas celle qui est déclarée : {error}",
                f"the list of backups is not what was declared: {error}",
            ),
            where="services.backup.list_json",
        ) from error


def back_up(proof: Proof, source: Machine, service: Backup, *, known: Collection[str]) -> list[str]:
    """Back up now; return the archives that were not ``known`` before, the newest first.

    Somebody else's may be among them: other checks, and schedules, back up whenever they like.
    """
    ran = source.run(service.run, deadline=60)
    proof.works(ran, fr="la sauvegarde échoue", en="the backup fails")
    found = archives(proof, source, service)
    made = sorted(found.keys() - set(known), key=lambda name: found[name], reverse=True)
    proof.holds(
        bool(made),
        ran,
        side="positive",
        fr="la sauvegarde ne laisse aucune archive",
        en="the backup leaves no archive",
    )
    return made


def restored(source: Machine, service: Backup, planted: Planted, made: Sequence[str]) -> tuple[str, Ran]:
    """Bring the planted file back from the first of the archives ``made`` that has it; return that one."""
    for archive in made:
        ran = source.run(restore(service, archive, planted) + f" && sha256sum -c {planted.sums}", deadline=30)
        if ran.granted:
            break
    return archive, ran


def restore(service: Backup, archive: str, planted: Planted) -> str:
    """Return the command that brings the planted file back below its target."""
    return service.restore.format(archive=shlex.quote(archive), path=planted.path, target=planted.target)


@dataclass(frozen=True, slots=True)
class Searched:
    """A search in raw files: the files that hold what was searched."""

    ran: Ran
    found: str


def search(machine: Machine, folder: str, planted: Planted) -> Searched:
    """Search recently written files below ``folder`` for the planted file's bytes or name.

    Raises:
        InconclusiveError: nothing was written there lately: it is not where the backup went.
    """
    recent = f"find {shlex.quote(folder)} -type f -mmin -10"
    ran = machine.run(
        f"export LC_ALL=C; {recent} | wc -l; {recent} -exec grep -lPa '{planted.pattern}|{planted.name}' {{}} +; "
        f"{recent} -name '*{planted.name}*'",
        deadline=30,
    )
    count, *found = ran.stdout.split() or ["0"]
    if count == "0":
        raise InconclusiveError(
            Text(f"rien n'a été écrit récemment dans {folder}", f"nothing was written lately in {folder}"),
            where=machine.name,
        )
    return Searched(ran, ", ".join(dict.fromkeys(found)))
