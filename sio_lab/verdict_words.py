"""The sentences of the verdict: one line of reason, one of what to do next, in both languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sio_lab.audit.document import AttestationFinding, CheckResult, MachineFinding, Nature
from sio_lab.text import Text

_NATURES: dict[Nature, tuple[Text, Text]] = {
    "physical": (Text("physique", "physical"), Text("physiques", "physical")),
    "virtual_machine": (
        Text("machine virtuelle", "virtual machine"),
        Text("machines virtuelles", "virtual machines"),
    ),
    "container": (Text("conteneur", "container"), Text("conteneurs", "containers")),
    "emulated": (Text("émulée", "emulated"), Text("émulées", "emulated")),
    "unknown": (Text("de nature inconnue", "of unknown nature"), Text("de nature inconnue", "of unknown nature")),
}

_SILENT = {
    "failed": Text("le contrôle a constaté un échec", "the check saw a failure"),
    "passed": Text("réussi sans avoir rien observé", "passed without observing anything"),
    "unreachable": Text("une machine ne répond pas", "a machine does not answer"),
    "timeout": Text("pas de réponse dans le délai", "no answer in time"),
    "error": Text("le contrôle lui-même a échoué", "the check itself broke"),
    "inconclusive": Text(
        "les observations ne suffisent pas à conclure", "the observations are not enough to conclude"
    ),
}

_NEXT = {
    "failed": Text(
        "Comparez ce qui est attendu et la preuve, corrigez, puis relancez l'audit.",
        "Compare what is expected with the evidence, mend it, then run the audit again.",
    ),
    "unreachable": Text(
        "Voyez quelle machine manque (sio-lab status), rétablissez-la, puis relancez l'audit.",
        "See which machine is missing (sio-lab status), bring it back, then run the audit again.",
    ),
    "timeout": Text(
        "Le service ou le réseau est coupé ou trop lent : voyez la preuve, puis relancez l'audit.",
        "The service or the network is cut or too slow: see the evidence, then run the audit again.",
    ),
    "error": Text(
        "Relancez avec --debug et signalez l'erreur : elle ne dit rien du labo.",
        "Run again with --debug and report the error: it says nothing of the lab.",
    ),
}
_NEXT_INCONCLUSIVE = Text(
    "Voyez dans la preuve ce qui n'a pas pu être observé, puis relancez l'audit.",
    "See in the evidence what could not be observed, then run the audit again.",
)
_VOID = {
    "expired": Text("expirée le {expires}", "expired on {expires}"),
    "altered": Text("document modifié depuis sa signature", "document altered since it was signed"),
    "missing": Text("document introuvable", "document missing"),
    "postdated": Text("datée du {date}, dans le futur", "dated {date}, in the future"),
    "valid": Text("un échec constaté l'emporte", "a proven failure outweighs it"),
}


def proven(count: int) -> Text:
    """Return the reason of a requirement that ``count`` checks prove."""
    plural = "s" if count > 1 else ""
    return Text(f"Prouvé par {count} contrôle{plural}.", f"Proven by {count} check{plural}.")


def told(checks: Sequence[CheckResult], *, of: int) -> Text:
    """Return the reason that ``checks`` (of ``of`` in all) give: the first one's, and how many more."""
    first, more = checks[0], len(checks) - 1
    reason = first.reason or _silent(first)
    if of > 1:
        reason = Text(f"{first.title.fr} : {reason.fr}", f"{first.title.en}: {reason.en}")
    if more:
        reason = Text(
            f"{_bare(reason.fr)} (et {more} autre{'s' if more > 1 else ''} contrôle{'s' if more > 1 else ''})",
            f"{_bare(reason.en)} (and {more} more check{'s' if more > 1 else ''})",
        )
    return _sentence(reason)


def todo(check: CheckResult, *, disrupt: bool) -> Text:
    """Return what to do about ``check``, which failed or did not conclude; ``disrupt``: outages were allowed."""
    if check.outcome != "skipped":
        return _NEXT.get(check.outcome, _NEXT_INCONCLUSIVE)
    if check.intensity == "disrupt" and not disrupt:
        return Text(
            "Cette preuve coupe des services : hors des cours, lancez sio-lab check --disrupt.",
            "This proof cuts services: outside lessons, run sio-lab check --disrupt.",
        )
    named = ", ".join(check.uses)
    return Text(
        f"Déclarez le service dans le fichier de labo (services : {named}), ou joignez une attestation.",
        f"Declare the service in the lab file (services: {named}), or add an attestation.",
    )


def training(machines: Sequence[MachineFinding]) -> Text:
    """Return why real equipment is not demanded, with the natures that were found; a machine counts once."""
    seen: set[str] = set()
    count: Counter[Nature] = Counter()
    for machine in machines:
        count[machine.nature] += seen.isdisjoint(machine.same_as)
        seen.add(machine.name)
    named = [(n, _NATURES[nature][n > 1]) for nature in _NATURES if (n := count[nature])]
    fr = ", ".join(f"{n} {text.fr}" for n, text in named) or "aucune"
    en = ", ".join(f"{n} {text.en}" for n, text in named) or "none"
    return Text(
        f"Labo d'entraînement : non exigé. Machines trouvées : {fr}.",
        f"Training lab: not demanded. Machines found: {en}.",
    )


def advice() -> Text:
    """Return the reason of an informational row with nothing to show."""
    return Text(
        "Pour information : rien n'est déclaré, rien n'est exigé.",
        "For information: nothing declared, nothing demanded.",
    )


def no_check() -> Text:
    """Return the reason of a requirement that has no check."""
    return Text("Pas encore de contrôle pour cette exigence.", "No check yet for this requirement.")


def no_check_todo() -> Text:
    """Return what to do about a requirement that has no check."""
    return Text(
        "Joignez une attestation (section attestations du fichier de labo), ou ajoutez un contrôle (--checks).",
        "Add an attestation (section attestations of the lab file), or a check of your own (--checks).",
    )


def not_selected() -> Text:
    """Return the reason of a requirement that the audit left out."""
    return Text("Hors de cet audit, limité par --only.", "Left out of this audit, limited by --only.")


def not_selected_todo() -> Text:
    """Return what to do about a requirement that the audit left out."""
    return Text("Relancez l'audit sans --only.", "Run the audit without --only.")


def group(needed: int, members: int, met: Sequence[str]) -> Text:
    """Return what is known of a group's rule."""
    named = ", ".join(met)
    return Text(
        f"Il en faut {needed} sur {members} ; acquises : {named or 'aucune'}.",
        f"{needed} of {members} needed; met: {named or 'none'}.",
    )


def group_todo(members: Sequence[str]) -> Text:
    """Return what to do about a group that is not met."""
    return Text(
        f"Voyez les lignes {members[0]} à {members[-1]} : il suffit que leur nombre soit atteint.",
        f"See rows {members[0]} to {members[-1]}: meeting their number is enough.",
    )


def attested(attestation: AttestationFinding) -> Text:
    """Return the reason of a requirement that rests on a document."""
    a = attestation
    return Text(
        f"Document « {a.document} » signé par {a.signed_by} le {a.signed_on:%d/%m/%Y}, "
        f"valable jusqu'au {a.expires:%d/%m/%Y} ; aucune sonde ne l'a prouvé.",
        f"Document '{a.document}' signed by {a.signed_by} on {a.signed_on}, "
        f"valid until {a.expires}; no probe has proven it.",
    )


def attestation_void(attestation: AttestationFinding) -> Text:
    """Return why an attestation changes nothing."""
    why = _VOID[attestation.state]
    fr = why.fr.format(expires=f"{attestation.expires:%d/%m/%Y}", date=f"{attestation.signed_on:%d/%m/%Y}")
    en = why.en.format(expires=attestation.expires, date=attestation.signed_on)
    return Text(f"L'attestation ne compte pas : {fr}.", f"The attestation does not count: {en}.")


def joined(reasons: Sequence[Text]) -> Text:
    """Return ``reasons`` one after the other, on one line."""
    return Text(" ".join(r.fr for r in reasons), " ".join(r.en for r in reasons))


def _silent(check: CheckResult) -> Text:
    if check.outcome != "skipped":
        return _SILENT[check.outcome]
    if check.intensity == "disrupt":
        return Text("la coupure de services n'a pas été permise", "cutting services was not allowed")
    return Text("rien n'est déclaré dans le fichier de labo", "nothing is declared in the lab file")


def _bare(sentence: str) -> str:
    return sentence.rstrip().removesuffix(".")


def _sentence(text: Text) -> Text:
    """Return ``text`` on one line, with a capital and a full stop."""

    def written(words: str) -> str:
        line = " ".join(words.split())
        first, _, rest = line.partition(" ")
        # A name, an address or a command keeps its first letter; so does "machine : …".
        if first.replace("'", "").isalpha() and not rest.startswith(":"):
            line = line[:1].upper() + line[1:]
        return line + ("" if line.endswith((".", "!", "?", "…")) else ".")

    return Text(written(text.fr), written(text.en))
