"""The lab file as a model: what a lab is made of, and what it claims to offer."""

from __future__ import annotations

import datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sio_lab.lab.services import AccountName, MachineName, Services, Strict

Option = Literal["SISR", "SLAM", "both"]
Purpose = Literal["training", "certification"]
ProviderName = Literal["incus", "vagrant", "existing"]
PerimeterRole = Literal["internet", "dmz", "servers", "users", "admin", "mirror", "other"]
Kind = Literal["server", "firewall", "terminal", "mobile", "network"]
PerimeterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,20}$")]
Port = Annotated[int, Field(ge=1, le=65535)]

_ROLES = {"internet", "dmz", "servers", "users", "admin", "mirror"}


class Perimeter(Strict):
    """A security perimeter: one network. A bare network may stand for the whole section."""

    cidr: IPv4Network = Field(description="Network of the perimeter: 172.30.10.0/24.")
    role: PerimeterRole = Field(
        default="other",
        description="What the perimeter is for; its name says so where it is one of the roles.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_cidr(cls, value: Any) -> Any:
        return {"cidr": value} if isinstance(value, str) else value


class Connection(Strict):
    """How to reach a machine that is already there (provider ``existing``)."""

    type: Literal["ssh", "winrm", "network"] = "ssh"
    host: str = Field(description="Name or address of the machine, seen from here.")
    port: Port = 22
    user: str = Field(description="Account to log in with.")
    identity_file: str | None = Field(default=None, description="Private key; default: the user's own.")
    host_key: str | None = Field(
        default=None, description="Public host key (one line); default: the user's known_hosts."
    )
    become: bool = Field(default=False, description="Whether commands go through sudo.")
    device_type: str | None = Field(default=None, description="netmiko device type, for network equipment.")


class Machine(Strict):
    """A machine of the lab."""

    image: str | list[str] = Field(
        default="debian/13", description="Image, or a list of them: the first that can be had."
    )
    kind: Kind = "server"
    title: str = Field(default="", description="What the machine is for, in a few words.")
    addresses: dict[PerimeterName, IPv4Address] = Field(
        default={}, description="Address in each perimeter; the first is the main one."
    )
    gateway: IPv4Address | None = Field(
        default=None, description="Default route; by default the firewall's address in the main perimeter."
    )
    memory: Annotated[str, Field(pattern=r"^\d+(MiB|GiB)$")] = "512MiB"
    roles: list[str] = Field(default=[], description="Ansible roles beyond those of its services.")
    connection: Connection | None = None


class Account(Strict):
    """A user of the organisation, or from outside it. Passwords are secrets, never here."""

    name: str = Field(description="Full name.")
    scope: Literal["internal", "external"] = "internal"
    groups: list[str] = []


class Flow(Strict):
    """One allowed flow; what is not listed is forbidden."""

    source: str = Field(alias="from", description="Perimeter or machine.")
    to: str = Field(description="Perimeter or machine.")
    tcp: list[Port] = []
    udp: list[Port] = []
    icmp: bool = False
    published: bool = Field(
        default=False,
        description="The destination is reached at the firewall's address in the source perimeter.",
    )


class Attestation(Strict):
    """A document that stands for a requirement that no probe can prove here."""

    document: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    signed_by: str
    date: datetime.date
    expires: datetime.date


class Lab(Strict):
    """A lab, whole."""

    lab: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$", description="Short name, unique on this host.")]
    title: str = Field(description="Title of the lab, as it stands on the report.")
    organisation: str = Field(default="", description="The client organisation of the context.")
    option: Option
    purpose: Purpose = "training"
    provider: ProviderName = "incus"
    domain: str = Field(default="lab.test", description="DNS domain of the lab.")
    perimeters: dict[PerimeterName, Perimeter] = {}
    machines: dict[MachineName, Machine] = Field(min_length=1)
    accounts: dict[AccountName, Account] = {}
    services: Services = Services()
    flows: list[Flow] = []
    attestations: dict[str, Attestation] = {}

    @model_validator(mode="before")
    @classmethod
    def _perimeter_roles(cls, value: Any) -> Any:
        """A perimeter named after a role has that role, unless it says otherwise."""
        perimeters = value.get("perimeters") if isinstance(value, dict) else None
        if not isinstance(perimeters, dict):
            return value
        named = {}
        for name, perimeter in perimeters.items():
            section = {"cidr": perimeter} if isinstance(perimeter, str) else perimeter
            if name in _ROLES and isinstance(section, dict):
                section = {"role": name, **section}
            named[name] = section
        return {**value, "perimeters": named}

    def fqdn(self, machine: str) -> str:
        """Return the full name of ``machine``."""
        return f"{machine}.{self.domain}"

    def machine_of(self, host: str) -> str | None:
        """Return the machine that ``host`` (short name, full name or address) designates, if any."""
        short = host.removesuffix(f".{self.domain}")
        if short in self.machines:
            return short
        for name, machine in self.machines.items():
            if host in {str(address) for address in machine.addresses.values()}:
                return name
        return None

    def perimeters_with_role(self, role: PerimeterRole) -> list[str]:
        """Return the names of the perimeters that have ``role``."""
        return [name for name, perimeter in self.perimeters.items() if perimeter.role == role]
