"""What the audit document says of the lab."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

from sio_lab.audit.document import ApplicationSummary, LabSummary, SharedSummary, SiteLinkSummary
from sio_lab.lab.infrastructure import SiteLink
from sio_lab.lab.model import Flow, Lab, Perimeter
from sio_lab.lab.software import Application


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
        perimeters={name: _perimeter(perimeter) for name, perimeter in lab.perimeters.items()},
        services={
            name: {
                "product": getattr(service, "product", ""),
                "machines": ", ".join(getattr(service, "machines", ())),
            }
            for name, service in services
            if service is not None
        },
        flows=[{"from": flow.source, "to": flow.to, "ports": _ports(flow)} for flow in lab.flows],
        shared_addresses={
            name: SharedSummary(machines=shared.machines, addresses=_plain(shared.addresses))
            for name, shared in lab.shared_addresses.items()
        },
        site_link=_site_link(lab, lab.services.site_link) if lab.services.site_link else None,
        applications={name: _application(application) for name, application in lab.applications.items()},
    )


def _application(application: Application) -> ApplicationSummary:
    return ApplicationSummary(
        title=application.title,
        made_with=f"{application.language}, {application.framework}",
        origin=application.origin,
        licence=application.licence,
        version=application.tag,
        repository=application.repository,
        machines=application.machines,
        remote=application.remote,
    )


def _perimeter(perimeter: Perimeter) -> dict[str, str]:
    said = {"cidr": str(perimeter.cidr), "role": perimeter.role}
    return said | {"via": perimeter.via} if perimeter.via else said


def _plain(addresses: Mapping[str, IPv4Address]) -> dict[str, str]:
    return {perimeter: str(address) for perimeter, address in addresses.items()}


def _site_link(lab: Lab, link: SiteLink) -> SiteLinkSummary:
    here, there = (lab.addresses_of(router) for router in link.machines)
    between = next((perimeter for perimeter in here if perimeter in there), "")
    return SiteLinkSummary(product=link.product, machines=link.machines, perimeter=between)


def _ports(flow: Flow) -> str:
    words = [f"tcp/{port}" for port in flow.tcp] + [f"udp/{port}" for port in flow.udp]
    return ", ".join([*words, "icmp"] if flow.icmp else words)
