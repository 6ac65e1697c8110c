"""What the audit document says of the lab."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sio_lab.audit.document import LabSummary
from sio_lab.lab.model import Flow, Lab


def summarise(lab: Lab, path: Path) -> LabSummary:
    """Return what a report needs to know of ``lab``, which was read from the file ``path``."""
    services = [(name, getattr(lab.services, name)) for name in type(lab.services).model_fields]
    return LabSummary(
        name=lab.lab,
        title=lab.title,
        organisation=lab.organisation,
        option=lab.option,
        purpose=lab.purpose,
        provider=lab.provider,
        domain=lab.domain,
        path=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        perimeters={name: {"cidr": str(p.cidr), "role": p.role} for name, p in lab.perimeters.items()},
        services={
            name: {
                "product": getattr(service, "product", ""),
                "machines": ", ".join(getattr(service, "machines", ())),
            }
            for name, service in services
            if service is not None
        },
        flows=[{"from": flow.source, "to": flow.to, "ports": _ports(flow)} for flow in lab.flows],
    )


def _ports(flow: Flow) -> str:
    words = [f"tcp/{port}" for port in flow.tcp] + [f"udp/{port}" for port in flow.udp]
    return ", ".join([*words, "icmp"] if flow.icmp else words)
