"""The lab file as a model: what a lab is made of, and what it claims to offer."""

import datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sio_lab.lab.base import AccountName, MachineName, Strict
from sio_lab.lab.services import Services
from sio_lab.lab.software import Application, ApplicationName

Option = Literal["SISR", "SLAM", "both"]
Purpose = Literal["training", "certification"]
ProviderName = Literal["incus", "vagrant", "existing"]
PerimeterRole = Literal["internet", "dmz", "servers", "users", "admin", "mirror", "other"]
Kind = Literal["server", "firewall", "terminal", "mobile", "network"]
PerimeterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,20}$")]
ContractName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Port = Annotated[int, Field(ge=1, le=65535)]

_ROLES = {"internet", "dmz", "servers", "users", "admin", "mirror"}


class Perimeter(Strict):
    """A security perimeter: one network. A bare network may stand for the whole section."""

    cidr: IPv4Network = Field(description="Network of the perimeter.", examples=["172.30.10.0/24"])
    role: PerimeterRole = Field(
        default="other",
        description="What the perimeter is for; its name says so where it is one of the roles.",
        examples=["dmz"],
    )
    via: MachineName | None = Field(
        default=None,
        description="Router of the lab that leads there, for a network where no firewall stands (a second site).",
        examples=["routeur"],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_cidr(cls, value: Any) -> Any:
        return {"cidr": value} if isinstance(value, str) else value


class Connection(Strict):
    """How to reach a machine that is already there (provider ``existing``)."""

    type: Literal["ssh", "winrm", "network"] = Field(
        default="ssh", description="How the machine is spoken to.", examples=["ssh"]
    )
    host: str = Field(description="Name or address of the machine, seen from here.", examples=["srv-ad.lycee.lan"])
    port: Port = Field(default=22, description="TCP port.", examples=[22])
    user: str = Field(description="Account to log in with.", examples=["audit"])
    identity_file: str | None = Field(
        default=None, description="Private key; default: the user's own.", examples=["~/.ssh/audit"]
    )
    host_key: str | None = Field(
        default=None,
        description="Public host key (one line); default: the user's known_hosts.",
        examples=["ssh-ed25519 AAAAC3Nza…"],
    )
    become: bool = Field(default=False, description="Whether commands go through sudo.", examples=[True])


class Machine(Strict):
    """A machine of the lab."""

    image: str | list[str] = Field(
        default="debian/13",
        description="Image, or a list of them: the first that can be had.",
        examples=[["rockylinux/9", "debian/12"]],
    )
    kind: Kind = Field(default="server", description="What the machine is.", examples=["terminal"])
    device_type: str = Field(
        default="",
        description="Command line of network equipment (kind: network), by netmiko's name of it; frr: FRR's own, "
        "that of the routers made here.",
        examples=["cisco_ios"],
    )
    title: str = Field(default="", description="What the machine is for, in a few words.", examples=["Annuaire"])
    addresses: dict[PerimeterName, IPv4Address] = Field(
        default={},
        description="Address in each perimeter; the first is the main one.",
        examples=[{"admin": "172.30.40.20", "mirror": "172.30.99.20"}],
    )
    gateway: IPv4Address | None = Field(
        default=None,
        description="Default route; by default the firewall's address in the main perimeter.",
        examples=["203.0.113.1"],
    )
    memory: Annotated[str, Field(pattern=r"^\d+(MiB|GiB)$")] = Field(
        default="512MiB", description="Memory that the machine may use.", examples=["768MiB"]
    )
    roles: list[str] = Field(
        default=[], description="Ansible roles beyond those of its services.", examples=[["firewall"]]
    )
    connection: Connection | None = Field(
        default=None, description="How to reach a machine that is already there (provider existing)."
    )


class SharedAddress(Strict):
    """Addresses that several machines hold in turn, one at a time (VRRP), under a name of their own."""

    machines: list[MachineName] = Field(
        min_length=2,
        description="Machines that may hold the addresses; the first does as long as it can.",
        examples=[["fw1", "fw2"]],
    )
    addresses: dict[PerimeterName, IPv4Address] = Field(
        min_length=1,
        description="Address in each perimeter; all of them move together.",
        examples=[{"dmz": "172.30.10.1", "users": "172.30.30.1"}],
    )
    recovery_seconds: float = Field(
        default=3, ge=1, le=60, description="Longest time without any holder, in seconds.", examples=[3]
    )


class Contract(Strict):
    """2.1.b: what users of a service are promised, also while its redundant parts fail one after the other."""

    url: str = Field(description="Page that users see (https).", examples=["https://www.capvoile.test/"])
    client: MachineName = Field(description="Machine that a user works from.", examples=["poste"])
    machines: list[MachineName] = Field(
        min_length=1,
        description="Redundant machines that the service is made of: each loses its power in turn.",
        examples=[["fw1", "lb1", "web1"]],
    )
    recovery_seconds: float = Field(
        default=5, gt=0, le=120, description="Longest time without service, in seconds.", examples=[5]
    )
    p95_seconds: float = Field(
        default=0.5,
        gt=0,
        lt=0.9,
        description="Response time that 95 % of the answers keep to, in seconds; whoever waits 0.9 s gives up.",
        examples=[0.5],
    )
    availability_percent: float = Field(
        default=80,
        gt=0,
        le=100,
        description="Smallest share of the requests that are answered while parts fail, in percent.",
        examples=[80],
    )


class Account(Strict):
    """A user of the organisation, or from outside it. Passwords are secrets, never here."""

    name: str = Field(description="Full name.", examples=["Alice Le Goff"])
    scope: Literal["internal", "external"] = Field(
        default="internal", description="Whether the person belongs to the organisation.", examples=["external"]
    )
    groups: list[str] = Field(
        default=[], description="Groups of the directory that the account is in.", examples=[["compta"]]
    )


class Flow(Strict):
    """One allowed flow; what is not listed is forbidden."""

    source: str = Field(alias="from", description="Perimeter or machine that opens the flow.", examples=["users"])
    to: str = Field(description="Perimeter or machine that it goes to.", examples=["portail"])
    tcp: list[Port] = Field(default=[], description="TCP ports that are open.", examples=[[80, 443]])
    udp: list[Port] = Field(default=[], description="UDP ports that are open.", examples=[[53]])
    icmp: bool = Field(default=False, description="Whether ICMP (ping) goes through.", examples=[True])
    published: bool = Field(
        default=False,
        description="The destination is reached at the firewall's address in the source perimeter.",
        examples=[True],
    )


class Attestation(Strict):
    """A document that stands for a requirement that no probe can prove here."""

    document: str = Field(
        description="Path of the document, from the folder of the lab file.", examples=["attestations/reel.pdf"]
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Hash of the document (sha256sum).", examples=["9f86d081884c7d65…"]
    )
    signed_by: str = Field(description="Who signed it.", examples=["Mme Riou, proviseure"])
    date: datetime.date = Field(description="Day of the signature.", examples=["2026-01-15"])
    expires: datetime.date = Field(description="Day from which it is worth nothing.", examples=["2027-01-15"])


class Lab(Strict):
    """A lab, whole."""

    lab: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")] = Field(
        description="Short name, unique on this host.", examples=["sisr"]
    )
    title: str = Field(description="Title of the lab, as it stands on the report.", examples=["Cap Voile — siège"])
    organisation: str = Field(
        default="", description="The client organisation of the context.", examples=["Cap Voile"]
    )
    option: Option = Field(description="Option of the diploma that the lab is for.", examples=["SISR"])
    purpose: Purpose = Field(
        default="training",
        description="certification holds the lab to what an examination requires (real equipment).",
        examples=["training"],
    )
    provider: ProviderName = Field(
        default="incus",
        description="What makes the machines: containers here, virtual machines, or nothing (they exist).",
        examples=["incus"],
    )
    domain: str = Field(default="lab.test", description="DNS domain of the lab.", examples=["capvoile.test"])
    perimeters: dict[PerimeterName, Perimeter] = Field(
        default={}, description="Security perimeters: one network each.", examples=[{"dmz": "172.30.10.0/24"}]
    )
    machines: dict[MachineName, Machine] = Field(min_length=1, description="Machines of the lab, by name.")
    shared_addresses: dict[MachineName, SharedAddress] = Field(
        default={},
        description="Addresses that a pair of machines holds in turn, by the name that they are reached under.",
    )
    accounts: dict[AccountName, Account] = Field(
        default={}, description="Users, by login; their passwords are generated, and kept out of this file."
    )
    services: Services = Field(
        default=Services.model_construct(),
        description="Capabilities that the lab claims to offer: what will be proven.",
    )
    contracts: dict[ContractName, Contract] = Field(
        default={}, description="Service-level contracts, by name: what will be held against each."
    )
    applications: dict[ApplicationName, Application] = Field(
        default={},
        description="Applications of the organisation (option SLAM), by name: what will be proven of each.",
    )
    flows: list[Flow] = Field(default=[], description="Flow matrix: what is not listed is forbidden.")
    attestations: dict[str, Attestation] = Field(
        default={}, description="Documents, by requirement, for what no probe can prove here."
    )

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

    def gateway(self, machine: str) -> IPv4Address | None:
        """Return the default route of ``machine``: the declared one, else a firewall in its main perimeter."""
        section = self.machines[machine]
        if section.gateway or not section.addresses:
            return section.gateway
        return None if section.kind == "firewall" else self.firewall_at(next(iter(section.addresses)))

    def firewall_at(self, perimeter: str) -> IPv4Address | None:
        """Return the address of the firewall in ``perimeter``: the one that they share, else the first one's."""
        named = (*self.shared_addresses, *self.machines)
        places = (self.addresses_of(name) for name in named if self.is_firewall(name))
        return next((addresses[perimeter] for addresses in places if perimeter in addresses), None)

    def is_firewall(self, name: str) -> bool:
        """Return whether ``name`` is a firewall, or an address that firewalls share."""
        holders = self.holders(name)
        return bool(holders) and all(self.machines[holder].kind == "firewall" for holder in holders)

    def holders(self, name: str) -> list[str]:
        """Return the machines that may answer to ``name``: itself, or those that share it, nominal one first."""
        if name in self.machines:
            return [name]
        shared = self.shared_addresses.get(name)
        return [holder for holder in shared.machines if holder in self.machines] if shared else []

    def shared_by(self, machine: str) -> dict[str, SharedAddress]:
        """Return the addresses that ``machine`` shares with others, by name."""
        return {name: shared for name, shared in self.shared_addresses.items() if machine in shared.machines}

    def addresses_of(self, name: str) -> dict[str, IPv4Address]:
        """Return the addresses by perimeter of ``name``, machine or shared address; none where it is neither."""
        section = self.machines.get(name) or self.shared_addresses.get(name)
        return dict(section.addresses) if section else {}

    def machine_of(self, host: str) -> str | None:
        """Return the machine that ``host`` (short name, full name or address) designates, if any.

        A shared address designates its nominal holder.
        """
        short = host.removesuffix(f".{self.domain}")
        for name in (*self.machines, *self.shared_addresses):
            if short == name or host in map(str, self.addresses_of(name).values()):
                return next(iter(self.holders(name)), None)
        return None

    def equipment(self) -> list[str]:
        """Return the machines that are network equipment."""
        return [name for name, machine in self.machines.items() if machine.kind == "network"]

    def entrances(self, perimeter: str) -> list[str]:
        """Return the perimeters that lead to ``perimeter``: itself, then those of its router, outside last."""
        via = self.machines.get(self.perimeters[perimeter].via or "")
        known = [name for name in via.addresses if name in self.perimeters and name != perimeter] if via else []
        return [perimeter, *sorted(known, key=lambda name: self.perimeters[name].role == "internet")]

    def perimeters_with_role(self, role: PerimeterRole) -> list[str]:
        """Return the names of the perimeters that have ``role``."""
        return [name for name, perimeter in self.perimeters.items() if perimeter.role == role]
