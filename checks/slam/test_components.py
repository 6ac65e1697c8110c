"""3.1.b: a library of software components, one of them installed at a locked version."""

from __future__ import annotations

import base64
import re
import shlex
from urllib.parse import urlsplit

from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.lab.software import Components
from sio_lab.probes import account, web
from sio_lab.probes.machine import Machine
from sio_lab.probes.observation import Ran
from sio_lab.text import Text

LONG = 60
"""Seconds that one command may take."""
DIGEST = re.compile(
    r"\b[0-9a-f]{40,128}\b"  # hexadecimal: pip, Composer, Maven
    r"|(?<=sha384-)[A-Za-z0-9+/]{64}"  # base64, which ends with = unless its length is a multiple of three bytes
    r"|(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)"  # npm, NuGet, Go
)
"""Digests as the lock files of package managers write them."""


@requirement(
    "3.1.b",
    title=Text("Composant à version verrouillée", "Component at a locked version"),
    uses=["components"],
    deadline=240,
)
def test_locked_component(lab: Lab, proof: Proof, service: Components) -> None:
    """A component is found in the repository, installed at its locked version, and used; other content is refused.

    Satisfied: from the developers' machine, over verified TLS, the repository names the component; where it is not
    installed it cannot be used; with a lock whose digests are altered nothing is installed; with the lock it is
    installed in an empty folder, and what uses it prints the locked version. All is removed in the end.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: a machine does not answer in time, the lock holds no digest, or the component is there already.
    Reads: services.components; services.development.user, where the client is a machine of theirs.
    """
    client = proof.machine(service.client)
    user = developer(lab, service)
    seen = listing(client, service, proof)
    proof.works(seen, fr="le dépôt de composants ne répond pas", en="the component repository does not answer")
    proof.holds(
        named(service.component, seen.body),
        seen,
        side="positive",
        fr=f"le dépôt ne connaît pas {service.component}",
        en=f"the repository does not know {service.component}",
    )
    folder = account.place()
    with proof.put_back(client.name, account.removal(folder)):
        made = client.run(account.make(folder, user, "none", "altered", "sound", "lock"))
        proof.works(
            made, fr=f"aucun dossier ne peut être fait pour {user}", en=f"no folder can be made for {user}"
        )
        without = used(client, user, service, f"{folder}/none")
        if without.stdout.strip() == service.version:
            raise InconclusiveError(
                Text(
                    f"{service.component} est déjà installé : l'installer ne montrerait rien",
                    f"{service.component} is installed already: installing it would show nothing",
                ),
                where=service.client,
            )
        altered = altered_lock(proof, client, user, service, f"{folder}/lock")
        wrong = installed(client, user, service, altered, f"{folder}/altered")
        proof.refused(
            wrong,
            fr="un contenu qui n'est pas celui du verrou s'installe",
            en="content that is not what the lock says is installed",
        )
        after = used(client, user, service, f"{folder}/altered")
        proof.holds(
            after.stdout.strip() != service.version,
            after,
            side="negative",
            fr="l'installation refusée laisse le composant utilisable",
            en="the refused installation leaves the component there to be used",
        )
        proof.works(
            installed(client, user, service, service.lock, f"{folder}/sound"),
            fr=f"{service.component} ne s'installe pas à la version verrouillée",
            en=f"{service.component} cannot be installed at the locked version",
        )
        works = used(client, user, service, f"{folder}/sound")
        proof.works(
            works, fr=f"{service.component} installé ne s'utilise pas", en=f"installed, {service.component} fails"
        )
        version = works.stdout.strip()
        proof.holds(
            version == service.version,
            works,
            side="positive",
            fr=f"la version installée est {version}, et non {service.version}",
            en=f"the version installed is {version}, not {service.version}",
        )


def developer(lab: Lab, service: Components) -> str:
    """Return the account that works on the client: the developers', where it is one of their machines."""
    development = lab.services.development
    return development.user if development and service.client in development.machines else "root"


def listing(client: Machine, service: Components, proof: Proof) -> web.WebObservation:
    """Ask the repository what it holds, then, where it does not tell, for the component itself."""
    whole = web.get(client, service.url, proof.ca, deadline=20)
    if whole.answer == "unavailable" or (whole.granted and named(service.component, whole.body)):
        return whole
    # Indexes of Python want a slash at the end; registries of npm want none.
    own = f"{service.url.rstrip('/')}/{service.component}"
    seen = web.get(client, own, proof.ca, deadline=20)
    place = urlsplit(seen.headers.get("location", "")).path
    return web.get(client, f"{own}/", proof.ca, deadline=20) if place.endswith("/") else seen


def named(component: str, text: str) -> bool:
    """Whether ``text`` names ``component``, however it writes what stands between the words."""
    words = [re.escape(word) for word in re.split(r"[-_.]+", component)]
    return re.search(r"[-_.]+".join(words), text, re.IGNORECASE) is not None


def installed(client: Machine, user: str, service: Components, lock: str, folder: str) -> Ran:
    """Install what ``lock`` locks below ``folder``."""
    command = account.filled(service.install, folder=folder, lock=lock)
    return client.run(account.under(user, command, seconds=LONG), deadline=LONG + 5)


def used(client: Machine, user: str, service: Components, folder: str) -> Ran:
    """Use what is installed below ``folder``."""
    command = account.filled(service.use, folder=folder)
    return client.run(account.under(user, command, seconds=LONG), deadline=LONG + 5)


def altered_lock(proof: Proof, client: Machine, user: str, service: Components, folder: str) -> str:
    """Write in ``folder`` the lock with other digests, and what small files stand beside it; return its path.

    Raises:
        NotSatisfiedError: there is no lock.
        InconclusiveError: it holds no digest.
    """
    path = shlex.quote(service.lock)
    read = client.run(account.under(user, f"cat {path}", seconds=10))
    proof.works(read, fr="le verrou ne se lit pas", en="the lock cannot be read")
    content, count = DIGEST.subn(lambda found: other(found.group()), read.stdout)
    if not count:
        raise InconclusiveError(
            Text(
                "le verrou ne contient aucune empreinte reconnue : rien ne montre qu'il verrouille un contenu",
                "the lock holds no digest that is known: nothing shows that it locks any content",
            ),
            where=f"{client.name}:{service.lock}",
        )
    copy = f"{folder}/{service.lock.rpartition('/')[2]}"
    written = client.run(
        f'find "$(dirname {path})" -maxdepth 1 -type f -size -1024k -exec cp -t {folder} {{}} + && '
        f"cat >{shlex.quote(copy)} && chown --reference={folder} {folder}/*",
        stdin=content,
    )
    proof.works(written, fr="le verrou altéré ne s'écrit pas", en="the altered lock cannot be written")
    return copy


def other(digest: str) -> str:
    """Return another digest of the same kind."""
    if re.fullmatch(r"[0-9a-f]+", digest):
        return digest[::-1] if digest != digest[::-1] else f"{int(digest[0], 16) ^ 1:x}{digest[1:]}"
    content = base64.b64decode(digest)
    return base64.b64encode(bytes([content[0] ^ 1]) + content[1:]).decode()
