"""The words and marks of reports: one place, so that every format says the same."""

from __future__ import annotations

from collections.abc import Mapping

from sio_lab.audit.document import (
    NATURE as NATURE,  # noqa: PLC0414  # written beside what it names; reports look for all words here
)
from sio_lab.audit.document import (
    AttestationState,
    CheckResult,
    Intensity,
    Outcome,
    RequirementResult,
    Status,
    Verdict,
)
from sio_lab.text import Text

STATUS: Mapping[Status, Text] = {
    "satisfied": Text("conforme", "conform"),
    "not_satisfied": Text("non conforme", "not conform"),
    "attested": Text("sur attestation", "on attestation"),
    "unverified": Text("non vérifié", "not verified"),
    "not_applicable": Text("sans objet", "not applicable"),
}
STATUS_MARK: Mapping[Status, str] = {
    "satisfied": "✔",
    "not_satisfied": "✘",
    "attested": "§",
    "unverified": "?",
    "not_applicable": "–",
}
STATUS_STYLE: Mapping[Status, str] = {
    "satisfied": "green",
    "not_satisfied": "bold red",
    "attested": "blue",
    "unverified": "yellow",
    "not_applicable": "dim",
}

VERDICT: Mapping[Verdict, Text] = {
    "conform": Text("conforme", "conform"),
    "not_conform": Text("non conforme", "not conform"),
    "incomplete": Text("sous réserve", "subject to verification"),
}
VERDICT_MEANS: Mapping[Verdict, Text] = {
    "conform": Text(
        "Toutes les exigences obligatoires sont prouvées ou attestées.",
        "All mandatory requirements are proven or attested.",
    ),
    "not_conform": Text(
        "Au moins une exigence obligatoire a été vue en défaut.",
        "At least one mandatory requirement was seen not to be met.",
    ),
    "incomplete": Text(
        "Aucun défaut constaté, mais des exigences obligatoires restent à vérifier.",
        "Nothing was seen to fail, but some mandatory requirements remain to be verified.",
    ),
}
VERDICT_AS: Mapping[Verdict, Status] = {
    "conform": "satisfied",
    "not_conform": "not_satisfied",
    "incomplete": "unverified",
}
"""Status whose mark and colour a verdict bears."""

OUTCOME: Mapping[Outcome, Text] = {
    "passed": Text("réussi", "passed"),
    "failed": Text("échec", "failed"),
    "unreachable": Text("injoignable", "unreachable"),
    "timeout": Text("délai dépassé", "timed out"),
    "error": Text("erreur du contrôle", "error in the check"),
    "inconclusive": Text("non concluant", "inconclusive"),
    "skipped": Text("non exécuté", "not run"),
}
OUTCOME_AS: Mapping[Outcome, Status] = {
    "passed": "satisfied",
    "failed": "not_satisfied",
    "unreachable": "unverified",
    "timeout": "unverified",
    "error": "unverified",
    "inconclusive": "unverified",
    "skipped": "not_applicable",
}


def outcome(check: CheckResult) -> Outcome:
    """Return how ``check`` is shown to have ended: a pass without an exchange proves nothing."""
    return "inconclusive" if check.outcome == "passed" and not check.evidence else check.outcome


def remarks(result: RequirementResult) -> list[Text]:
    """Return what the reader of a satisfied requirement must know all the same."""
    if result.status != "satisfied":
        return []
    return [check.reason for check in result.checks if check.outcome == "passed" and check.reason]


INTENSITY: Mapping[Intensity, Text] = {
    "observe": Text("observation", "observes"),
    "exercise": Text("usage réel", "exercises"),
    "disrupt": Text("avec coupure", "disrupts"),
}
ORIGIN: Mapping[str, Text] = {
    "specific": Text("développement spécifique", "specific development"),
    "adapted": Text("logiciel libre adapté", "adapted open source"),
}
SIDE: Mapping[str, Text] = {
    "positive": Text("devait réussir", "had to work"),
    "negative": Text("devait être refusé", "had to be refused"),
    "context": Text("contexte", "context"),
}
KIND: Mapping[str, Text] = {
    "server": Text("serveur", "server"),
    "firewall": Text("pare-feu", "firewall"),
    "terminal": Text("poste fixe", "fixed terminal"),
    "mobile": Text("terminal mobile", "mobile terminal"),
    "network": Text("équipement réseau", "network equipment"),
}
ROLE: Mapping[str, Text] = {
    "internet": Text("internet", "internet"),
    "dmz": Text("zone démilitarisée", "demilitarised zone"),
    "servers": Text("serveurs", "servers"),
    "users": Text("utilisateurs", "users"),
    "admin": Text("administration", "administration"),
    "mirror": Text("copie du trafic", "traffic copy"),
    "other": Text("périmètre", "perimeter"),
}
PURPOSE: Mapping[str, Text] = {
    "training": Text("entraînement", "training"),
    "certification": Text("certification", "certification"),
}
OPTION: Mapping[str, Text] = {
    "SISR": Text("option SISR", "option SISR"),
    "SLAM": Text("option SLAM", "option SLAM"),
    "both": Text("options SISR et SLAM", "options SISR and SLAM"),
}
ATTESTATION: Mapping[AttestationState, Text] = {
    "valid": Text("document conforme à son empreinte", "document matches its hash"),
    "expired": Text("expirée", "expired"),
    "altered": Text("document modifié", "document altered"),
    "missing": Text("document introuvable", "document missing"),
    "postdated": Text("datée dans le futur", "dated in the future"),
}
PHASE: Mapping[str, Text] = {
    "before": Text("95 % des réponses avant, en", "95 % of the answers before, within"),
    "during": Text("pendant, en", "during, within"),
    "after": Text("après, en", "after, within"),
}
"""Response times of a service before, during and after a cut."""
