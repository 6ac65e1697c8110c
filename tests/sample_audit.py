"""A realistic audit document of the SISR lab: every status, hostile evidence; for tests and for the eye."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import yaml

from sio_lab import catalogue
from sio_lab.audit.document import (
    AttestationFinding,
    AuditDocument,
    CheckResult,
    FlowCell,
    FlowFate,
    FlowMatrix,
    MachineFinding,
    Outcome,
)
from sio_lab.audit.summary import summarise
from sio_lab.audit.timeline import Timeline
from sio_lab.lab.model import Lab
from sio_lab.probes.observation import Evidence
from sio_lab.text import Text
from sio_lab.verdict import build_document

LAB_FILE = Path(__file__).parent.parent / "inventories" / "sisr" / "lab.yml"
STARTED = datetime(2026, 3, 12, 8, 30, 5, tzinfo=UTC)

HOSTILE = (
    "</pre></details><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    "\x1b[31mred\x1b]0;title\x07\x00 \u202egnp.exe\u202c {{ 7*7 }} <!-- ]]> -- "
    "\udc80 https://elsewhere.example/x.js " + "A" * 3000
)


def evidence(
    side: str = "positive", *, probe: str = "ldap.bind", received: str = "resultCode 0 (success)", **more: str
) -> Evidence:
    """Return the evidence of one exchange."""
    made = Evidence.of(
        probe,
        source=more.get("source", "poste"),
        target=more.get("target", "ldaps://annuaire.capvoile.test"),
        sent=more.get("sent", "bind uid=alice,ou=people,dc=capvoile,dc=test ••••••"),
        received=received,
        at=STARTED + timedelta(seconds=3),
        duration=0.0412,
    )
    made.side = side  # type: ignore[assignment]
    return made


def check(
    requirement: str,
    outcome: Outcome = "passed",
    *,
    fr: str = "",
    en: str = "",
    title: tuple[str, str] = ("Contrôle", "Check"),
    seen: list[Evidence] | None = None,
    **more: object,
) -> CheckResult:
    """Return the result of one check, with both sides seen unless said otherwise."""
    both = [
        evidence(),
        evidence("negative", received="resultCode 49 (invalidCredentials)", sent="bind … wrong"),
    ]
    return CheckResult.model_validate(
        {
            "id": f"checks/common/test_{requirement.replace('.', '_')}.py::test_{len(title[0])}",
            "title": Text(*title),
            "requirement": requirement,
            "intensity": "exercise",
            "outcome": outcome,
            "reason": Text(fr, en) if fr else None,
            "duration": 0.83,
            "evidence": both if seen is None else seen,
            **more,
        }
    )


def machines(lab: Lab) -> list[MachineFinding]:
    """Return each machine of ``lab`` as an audit would find it."""
    return [
        MachineFinding(
            name=name,
            kind=machine.kind,
            title=machine.title,
            addresses={perimeter: str(address) for perimeter, address in machine.addresses.items()},
            reachable=name != "ids",
            system="" if name == "ids" else "Debian GNU/Linux 13 (trixie)",
            family="" if name == "ids" else "linux/debian",
            nature="unknown" if name == "ids" else "container",
            nature_evidence="" if name == "ids" else "systemd-detect-virt: lxc",
            machine_id="" if name == "ids" else f"{index:032x}",
            host_key=f"SHA256:{'k3Jx' * 10}{index:03d}",
            same_as=["collab"] if name == "partage" else [],
            problem=Text("ne répond pas en 5 s", "does not answer within 5 s") if name == "ids" else None,
            holds=[shared for shared in lab.shared_by(name) if lab.holders(shared)[0] == name],
        )
        for index, (name, machine) in enumerate(lab.machines.items())
    ]


def flow_matrix() -> FlowMatrix:
    """Return a matrix with every kind of cell."""

    def cell(source: str, target: str, port: str, *, allowed: bool, seen: FlowFate, **more: object) -> FlowCell:
        protocol, _, number = port.partition("/")
        return FlowCell.model_validate(
            {"source": source, "target": target, "protocol": protocol, "port": int(number or 0)}
            | {"allowed": allowed, "seen": seen, "count": 1, **more}
        )

    through = {"allowed": True, "seen": "open"}
    users = ["poste → annuaire", "mobile → annuaire"]
    return FlowMatrix(
        sources=["servers", "users", "admin"],
        targets=["servers", "users", "admin", "fw"],
        cells=[
            cell("servers", "users", "tcp/22", allowed=False, seen="closed"),
            cell("servers", "users", "tcp/443", allowed=False, seen="closed", forged=True),
            cell("users", "servers", "tcp/636", pairs=users, **through),
            cell("users", "servers", "tcp/443", pairs=users, **through),
            cell("users", "servers", "udp/514", pairs=users, **through),
            cell("users", "servers", "tcp/5432", allowed=False, seen="open", pairs=["poste → bdd"]),
            cell(
                "users",
                "servers",
                "tcp/636",
                allowed=False,
                seen="open",
                forged=True,
                pairs=["poste (1.2.3.4) → bdd"],
            ),
            cell("users", "servers", "tcp/22", allowed=False, seen="closed"),
            cell("users", "servers", "icmp", allowed=False, seen="closed"),
            cell("admin", "users", "tcp/22", allowed=True, seen="closed", pairs=["sauvegarde → poste"]),
            cell(
                "admin",
                "fw",
                "udp/53",
                allowed=False,
                seen="not_told",
                pairs=["ids → fw"],
                detail="fw: no python3",
            ),
        ],
    )


def timeline(machine: str, *, restored: float, nominal: float) -> Timeline:
    """Return what users saw of a power cut of ``machine``; given back late, so that words stand at the edge."""
    return Timeline(
        title=Text(f"coupure de courant de {machine}", f"power cut of {machine}"),
        url="https://www.capvoile.test/",
        client="poste",
        started=STARTED,
        duration=12.0,
        step=0.25,
        answered={"web1": [5] * 8 + [0] * 8 + [9] * 32, "web2": [5] * 8 + [0] * 40},
        failed=[0] * 8 + [8] * 8 + [0] * 32,
        cut=2.0,
        restored=restored,
        nominal=nominal,
        outage=2.1,
        outage_at_least=1.9,
        outage_start=2.0,
        p95={"before": 0.02, "during": 0.31, "after": 0.02},
        requests=432,
        rate=36.0,
    )


def checks() -> list[CheckResult]:
    """Return results of every kind."""
    family = Text("annuaire et bdd sont tous deux Debian", "annuaire and bdd are both Debian")
    return [
        check("1.1.a", title=("Authentification interne", "Internal authentication")),
        check(
            "1.1.a",
            title=("Authentification externe", "External authentication"),
            seen=[
                evidence(
                    probe="http.get",
                    source="internet",
                    target="https://portail.capvoile.test/extranet/",
                    sent="GET /extranet/ HTTP/1.1\nAuthorization: Basic ••••••",
                    received="HTTP/1.1 200 OK\nContent-Type: text/html\n\n<h1>Bonjour denis.club</h1>",
                ),
                evidence("negative", probe="http.get", source="internet", received="HTTP/1.1 401 Unauthorized"),
                evidence("context", probe="shell.run", target="portail", sent="id denis.club", received="uid=5"),
            ],
        ),
        check("1.1.b", title=("Compte applicatif", "Application account")),
        check(
            "1.1.b",
            title=("Base hors de portée des postes", "Database out of reach of stations"),
            seen=[evidence("negative", probe="tcp.connect", target="bdd:5432", sent="SYN", received="timed out")],
        ),
        check("1.1.c", title=("Navigation filtrée", "Filtered browsing"), seen=[evidence(received=HOSTILE)]),
        check("1.1.d", title=("Agenda partagé", "Shared calendar")),
        check(
            "1.1.e",
            "failed",
            title=("Systèmes des serveurs", "Systems of the servers"),
            fr=f"un seul système d'exploitation trouvé : {family.fr}",
            en=f"only one operating system found: {family.en}",
            seen=[
                evidence(
                    probe="shell.run",
                    source=name,
                    target=name,
                    sent="cat /etc/os-release",
                    received='PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n',
                )
                for name in ("annuaire", "bdd")
            ],
        ),
        check("1.1.f", title=("Sauvegarde et restauration", "Backup and restore")),
        check("1.1.f", title=("Dépôt chiffré", "Encrypted repository"), intensity="observe"),
        check("1.1.h", title=("Poste fixe", "Fixed terminal")),
        check(
            "1.1.h",
            title=("Terminal mobile", "Mobile terminal"),
            fr="sous réserve : le terminal mobile est simulé",
            en="with a reservation: the mobile terminal is simulated",
        ),
        check("1.2", title=("Nature des machines", "Nature of machines"), intensity="observe", nature_only=True),
        check(
            "1.3.a",
            "inconclusive",
            title=("Vie d'un ticket", "Life of a ticket"),
            fr="le service n'a pas répondu : son refus ne prouve rien",
            en="the service did not answer: its refusal proves nothing",
        ),
        check(
            "1.3.b",
            "unreachable",
            title=("Alerte d'intrusion", "Intrusion alert"),
            fr="ids ne répond pas",
            en="ids does not answer",
            seen=[],
        ),
        check("1.3.b", title=("Bannissement", "Ban")),
        check(
            "1.3.c",
            "timeout",
            title=("Services TLS", "TLS services"),
            fr="portail.capvoile.test:443 n'a pas répondu en 10 s",
            en="portail.capvoile.test:443 did not answer within 10 s",
            seen=[evidence("context", probe="tls.scan", received="")],
        ),
        check("1.3.c", "error", title=("Capture d'une connexion", "Capture of a login"), seen=[]),
        check(
            "1.3.d",
            "skipped",
            title=("Flux décodé", "Flow decoded"),
            fr="rien n'est déclaré",
            en="nothing is declared",
            seen=[],
            uses=["traffic_analysis"],
        ),
        check(
            "2.1.a",
            "failed",
            title=("Matrice de flux éprouvée", "Flow matrix tried out"),
            fr="des flux qu'aucune ligne n'autorise passent : poste → bdd tcp/5432",
            en="flows that no line allows get through: poste → bdd tcp/5432",
            matrix=flow_matrix(),
        ),
        check(
            "2.1.b",
            title=("Contrat de service pendant des pannes", "Service contract during failures"),
            intensity="disrupt",
            timelines=[timeline("fw1", restored=9.0, nominal=9.4), timeline("web1", restored=9.8, nominal=11.9)],
        ),
        check(
            "2.1.i",
            "skipped",
            title=("Coupure du pare-feu", "Firewall cut off"),
            intensity="disrupt",
            seen=[],
            uses=["firewall"],
        ),
    ]


def attestation(state: str = "valid") -> AttestationFinding:
    """Return an examined attestation."""
    return AttestationFinding(
        document="attestations/armoire-forte.pdf",
        signed_by="Mme Le Bihan, DDF",
        signed_on=date(2026, 1, 15),
        expires=date(2026, 8, 31),
        sha256="5f" * 32,
        state=state,  # type: ignore[arg-type]
    )


@cache
def lab() -> Lab:
    """Return the lab of the sample."""
    return Lab.model_validate(yaml.safe_load(LAB_FILE.read_text()))


def document(**changes: object) -> AuditDocument:
    """Return the sample; ``changes`` replace fields of its lab."""
    declared = lab()
    return build_document(
        catalogue.load(),
        checks(),
        tool_version="0.1.0",
        lab=summarise(declared, LAB_FILE).model_copy(update=changes),
        machines=machines(declared),
        attestations={"1.1.g": attestation(), "2.1.e": attestation("expired")},
        started=STARTED,
        finished=STARTED + timedelta(seconds=17.4),
        disrupt=False,
    )
