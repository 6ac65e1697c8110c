"""The audit document: the one thing that reports render. Its JSON Schema is published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sio_lab.audit.timeline import Timeline
from sio_lab.probes.observation import Evidence
from sio_lab.text import Text

SCHEMA_VERSION = "1.0"

Status = Literal["satisfied", "not_satisfied", "attested", "unverified", "not_applicable"]
Verdict = Literal["conform", "not_conform", "incomplete"]
Intensity = Literal["observe", "exercise", "disrupt"]
Outcome = Literal["passed", "failed", "unreachable", "timeout", "error", "inconclusive", "skipped"]
"""How a check ended. Only ``passed`` and ``failed`` conclude; ``inconclusive`` is a check that
lacked a positive or a negative probe, or could not tell; ``skipped`` one that was not to run."""
FlowFate = Literal["open", "closed", "not_told"]
AttestationState = Literal["valid", "expired", "altered", "missing", "postdated"]
Nature = Literal["physical", "virtual_machine", "container", "emulated", "unknown"]
NATURE: Mapping[Nature, Text] = {
    "physical": Text("physique", "physical"),
    "virtual_machine": Text("machine virtuelle", "virtual machine"),
    "container": Text("conteneur", "container"),
    "emulated": Text("émulée", "emulated"),
    "unknown": Text("inconnue", "unknown"),
}


class Section(BaseModel):
    """A part of the document."""

    model_config = ConfigDict(extra="forbid")


class FlowCell(Section):
    """Packets of one kind between two perimeters that came to the same: who may, what was seen, and how often."""

    source: str = Field(description="Perimeter that they were sent from.")
    target: str = Field(description="Perimeter that they were sent to, or the firewall itself.")
    protocol: Literal["tcp", "udp", "icmp"]
    port: int = Field(description="0 for ICMP.")
    forged: bool = Field(default=False, description="Whether they bore the address of somebody else.")
    allowed: bool
    seen: FlowFate
    count: int = Field(description="Pairs of machines.")
    pairs: list[str] = Field(
        default=[], description="The pairs (portail → bdd); none where forbidden packets were stopped."
    )
    detail: str = Field(default="", description="Why it could not be told, of the first pair.")


class FlowMatrix(Section):
    """The flow matrix of the lab, as it was found."""

    sources: list[str] = Field(description="Perimeters, in the order of the lab file.")
    targets: list[str] = Field(description="The same, and the firewalls.")
    cells: list[FlowCell]


class CheckResult(Section):
    """One check: how it ended, why, and on what evidence."""

    id: str = Field(description="pytest node id: checks/common/test_dbms.py::test_application_account")
    title: Text
    requirement: str
    intensity: Intensity
    outcome: Outcome
    reason: Text | None = None
    duration: float = Field(description="Seconds.")
    evidence: list[Evidence] = []
    timelines: list[Timeline] = Field(default=[], description="What users saw of each part that was cut.")
    matrix: FlowMatrix | None = None
    uses: list[str] = []
    nature_only: bool = Field(
        default=False, description="Informational: shown, but decides nothing in a training lab."
    )


class AttestationFinding(Section):
    """A document that the lab file puts forward for a requirement, and whether it counts."""

    document: str
    signed_by: str
    signed_on: date
    expires: date
    sha256: str = Field(description="Hash that the lab file declares.")
    state: AttestationState


class RequirementResult(Section):
    """One requirement of Annexe II.E: its status, and what it rests on."""

    id: str
    title: Text
    section: Text = Field(description="Number and title of its section.")
    place: Text = Field(description="Section and dash of the legal text.")
    expected: Text = Field(description="What proves it.")
    group: str = Field(default="", description="Requirement whose rule this one counts in (2.2.a → 2.2).")
    mandatory: bool = Field(description="Whether its status decides; false for group members and advice.")
    status: Status
    reason: Text
    todo: Text | None = Field(default=None, description="What to do next, where it is not met.")
    attestation: AttestationFinding | None = None
    checks: list[CheckResult] = []


class MachineFinding(Section):
    """A machine as it was found, beside what the lab file says of it."""

    name: str
    kind: str
    title: str = ""
    addresses: dict[str, str]
    reachable: bool
    system: str = Field(default="", description="os-release's PRETTY_NAME, or the device's own words.")
    family: str = Field(default="", description="linux/debian, linux/rhel, windows, bsd, …")
    nature: Nature = "unknown"
    nature_evidence: str = ""
    machine_id: str = ""
    host_key: str = Field(default="", description="SHA256 fingerprint.")
    same_as: list[str] = Field(default=[], description="Other declared names of this very machine.")
    problem: Text | None = None
    holds: list[str] | None = Field(
        default=None, description="Shared addresses that it was found to hold, by name; none: it did not tell."
    )


class OptionVerdict(Section):
    """The verdict for one option."""

    option: Literal["SISR", "SLAM"]
    verdict: Verdict
    satisfied: int
    not_satisfied: int
    attested: int
    unverified: int
    not_applicable: int


class SharedSummary(Section):
    """Addresses that several machines hold in turn."""

    machines: list[str] = Field(description="The first holds them as long as it can.")
    addresses: dict[str, str] = Field(description="perimeter → address")


class SiteLinkSummary(Section):
    """The secured link between two sites."""

    product: str = ""
    machines: list[str] = Field(description="Router of the first site, then that of the second.")
    perimeter: str = Field(description="Perimeter that its encrypted packets cross.")


class ApplicationSummary(Section):
    """What a report says of an application, as it was declared."""

    title: str
    made_with: str = Field(description="Language and framework of its server code.")
    origin: Literal["specific", "adapted"]
    licence: str = Field(description="SPDX")
    version: str = Field(description="Tag that is deployed.")
    repository: str
    machines: list[str]
    remote: str = Field(description="Machine of the remote site that hosts its data.")


class LabSummary(Section):
    """What a report says of the lab: enough to draw it without the lab file."""

    name: str
    title: str
    organisation: str
    option: str
    purpose: str
    provider: str
    domain: str
    path: str
    sha256: str = Field(description="Hash of the lab file.")
    perimeters: dict[str, dict[str, str]] = Field(
        description="name → {cidr, role, via}; via: the router that leads there"
    )
    services: dict[str, dict[str, str]] = Field(description="capability → {product, machines}")
    flows: list[dict[str, str]] = Field(default=[], description="{from, to, ports}")
    shared_addresses: dict[str, SharedSummary] = {}
    site_link: SiteLinkSummary | None = None
    applications: dict[str, ApplicationSummary] = {}


class AuditDocument(Section):
    """One audit, whole."""

    schema_version: str = SCHEMA_VERSION
    tool_version: str
    catalogue_version: str
    lab: LabSummary
    started: datetime
    finished: datetime
    disrupt: bool
    verdict: Verdict = Field(description="The worst of the options' verdicts.")
    verdicts: list[OptionVerdict]
    machines: list[MachineFinding]
    requirements: list[RequirementResult]
