"""What a lab claims to offer: one class a capability.

A capability's name in the lab file is also the name of the Ansible role that provides it
(``playbooks/roles/<capability>/``) and of the check that proves it.
"""

from typing import Literal

from pydantic import Field

from sio_lab.lab.base import AccountName, MachineName, Service, Strict
from sio_lab.lab.infrastructure import (
    Automation,
    ConfigurationManagement,
    Continuity,
    FrameAnalyser,
    LoadBalancer,
    NetworkDetection,
    RemoteAdministration,
    SecuredAccess,
    SiteLink,
    Supervision,
    TerminalDeployment,
    Website,
)
from sio_lab.lab.software import Components, Development, Forge, RemoteData, Robustness


class Directory(Service):
    """1.1.a: the directory that authenticates internal and external users."""

    url: str = Field(
        description="ldaps://host[:port], or ldap://host[:port] with StartTLS.",
        examples=["ldaps://annuaire.capvoile.test"],
    )
    base_dn: str = Field(
        description="Base of the directory: dc=example,dc=test.", examples=["dc=capvoile,dc=test"]
    )
    user_dn: str = Field(
        default="uid={account},ou=people,{base_dn}",
        description="Name that an account binds with.",
        examples=["uid={account},ou=people,{base_dn}"],
    )
    account: AccountName = Field(description="An internal account.", examples=["alice"])
    client: MachineName = Field(
        description="Machine that an internal user authenticates from.", examples=["poste"]
    )

    def dn_of(self, account: str) -> str:
        """Return the distinguished name of ``account``."""
        return self.user_dn.format(account=account, base_dn=self.base_dn)


class Portal(Service):
    """1.1.a: a service published to external users, which relies on the directory."""

    url: str = Field(
        description="Page that external users reach after authentication (https).",
        examples=["https://portail.capvoile.test/extranet/"],
    )
    internal_url: str = Field(
        description="Page kept for internal users: external ones are refused.",
        examples=["https://portail.capvoile.test/intranet/"],
    )
    account: AccountName = Field(description="An external account.", examples=["denis.club"])
    internal_account: AccountName = Field(
        description="An internal account, let in at internal_url.", examples=["alice"]
    )
    outside_client: MachineName = Field(description="Machine outside the organisation.", examples=["internet"])
    client: MachineName = Field(description="Machine inside the organisation.", examples=["poste"])


class Dbms(Service):
    """1.1.b: a database management system with an application's account."""

    host: str = Field(description="Name or address that applications use.", examples=["bdd.capvoile.test"])
    port: int = Field(default=5432, ge=1, le=65535, description="TCP port.", examples=[5432])
    database: str = Field(description="Database of the application.", examples=["regates"])
    user: str = Field(
        description="Account of the application; its password is the secret services.dbms.", examples=["regates"]
    )
    client: MachineName = Field(description="Machine that the application runs on.", examples=["portail"])


class AccessLog(Strict):
    """Where a gateway writes who went where."""

    machine: MachineName = Field(description="Machine that keeps the log.", examples=["proxy"])
    path: str = Field(description="File of the log on that machine.", examples=["/var/log/squid/access.log"])


class InternetAccess(Service):
    """1.1.c: internet access through a gateway that identifies and filters."""

    proxy_url: str = Field(
        description="Gateway that browsers are configured with: https://proxy…:3129.",
        examples=["https://proxy.capvoile.test:3129"],
    )
    client: MachineName = Field(description="A user's machine.", examples=["poste"])
    account: AccountName = Field(description="A user who may go out.", examples=["alice"])
    allowed_url: str = Field(
        description="A site that the policy allows.", examples=["http://www.meteo-marine.test/"]
    )
    forbidden_url: str = Field(
        description="A site that the policy forbids, and that exists.",
        examples=["http://www.paris-en-ligne.test/"],
    )
    log: AccessLog = Field(
        description="Log in which each access stands under the user's name.",
        examples=[{"machine": "proxy", "path": "/var/log/squid/access.log"}],
    )


class Collaboration(Service):
    """1.1.d: a shared calendar or file area."""

    protocol: Literal["caldav", "webdav"] = Field(description="Protocol spoken by clients.", examples=["caldav"])
    url: str = Field(
        description="The shared collection (https).",
        examples=["https://collab.capvoile.test:5232/equipe/regates/"],
    )
    members: tuple[AccountName, AccountName] = Field(
        description="Two members who share the collection.", examples=[["bruno", "chloe"]]
    )
    outsider: AccountName = Field(
        description="An account of the organisation that is no member.", examples=["alice"]
    )
    client: MachineName = Field(description="Machine that the members work from.", examples=["poste"])


class Backup(Service):
    """1.1.f: backup of a source to another machine, encrypted."""

    source: MachineName = Field(description="Machine whose data is backed up.", examples=["bdd"])
    path: str = Field(description="Folder that is backed up on the source.", examples=["/srv/regates"])
    repository: str = Field(
        description="Folder of the repository, on the (first) backup machine.", examples=["/srv/depot/bdd"]
    )
    max_age_hours: int = Field(
        default=26, ge=1, description="Oldest acceptable last backup, in hours.", examples=[26]
    )
    scheduled: str = Field(
        default="",
        description="How names of scheduled archives begin; by default every archive counts as one.",
        examples=["auto-"],
    )
    run: str = Field(description="Command on the source: back up now.", examples=["sio-backup run"])
    list_json: str = Field(
        description="Command on the source: list the archives as a JSON array of {name, time (ISO 8601)}.",
        examples=["sio-backup list"],
    )
    restore: str = Field(
        description="Command on the source, {archive} {path} {target}: restore below target.",
        examples=["sio-backup restore {archive} {path} {target}"],
    )
    verify: str = Field(
        description="Command on the source: verify the repository.", examples=["sio-backup verify"]
    )


class RestrictedArea(Service):
    """1.1.g: a resource that only some accounts may use."""

    protocol: Literal["webdav", "sftp", "smb"] = Field(
        description="Protocol spoken by clients.", examples=["webdav"]
    )
    url: str = Field(
        description="The area: https://host/path/, sftp://host/path or smb://host/share.",
        examples=["https://partage.capvoile.test/compta/"],
    )
    account: AccountName = Field(description="An account that may read and write there.", examples=["alice"])
    unauthorised: AccountName = Field(description="A valid account that may not.", examples=["bruno"])
    client: MachineName = Field(description="Machine that users work from.", examples=["poste"])


class Terminals(Service):
    """1.1.h: a fixed terminal and a mobile one (``machines`` lists both)."""

    product: str = Field(default="mixed", description="Free text.", examples=["mixed"])
    fixed: MachineName = Field(description="Fixed terminal with a desktop.", examples=["poste"])
    mobile: MachineName = Field(description="Mobile terminal: smartphone or tablet.", examples=["mobile"])
    mobile_proof: Literal["adb", "enrolment"] = Field(
        default="adb", description="How it proves itself.", examples=["adb"]
    )
    valid_days: int = Field(default=30, ge=1, description="Days after which an enrolment expires.", examples=[30])
    client: MachineName = Field(
        description="Machine of the lab that the mobile terminal is asked from.", examples=["poste"]
    )


class Ticketing(Service):
    """1.3.a: incident management."""

    url: str = Field(description="Address of the application (https).", examples=["https://tickets.capvoile.test"])
    account: AccountName = Field(description="A user who reports an incident.", examples=["alice"])
    agent: AccountName = Field(description="The technician who answers and closes it.", examples=["chloe"])
    client: MachineName = Field(description="Machine that both work from.", examples=["poste"])


class IntrusionDetection(Service):
    """1.3.b, 2.2.d: a known attack raises an alert."""

    log: str = Field(
        description="File of alerts on the machine: EVE JSON or one line an alert.",
        examples=["/var/log/suricata/eve.json"],
    )
    signature: str = Field(
        description="Text that the alert for the test request holds: the name of a rule.",
        examples=["Lecture de /etc/passwd par une URL"],
    )
    trigger_url: str = Field(
        description="Harmless request that the rule matches. With http it goes in clear whatever the port speaks, "
        "so that the detection can read it; {token} tells it from any other.",
        examples=["http://portail.capvoile.test:443/?page=../../etc/passwd&essai={token}"],
    )
    outside_client: MachineName = Field(description="Machine outside the organisation.", examples=["internet"])
    delay_seconds: int = Field(
        default=10, ge=1, description="Longest acceptable delay of the alert.", examples=[10]
    )


class IntrusionPrevention(Service):
    """1.3.b: repeated bad logins get their source banned, for a time."""

    url: str = Field(
        description="Login that is protected (https).", examples=["https://portail.capvoile.test/extranet/"]
    )
    attempts: int = Field(
        default=5, ge=2, description="Bad logins after which the source is banned.", examples=[5]
    )
    outside_client: MachineName = Field(description="Machine that gets itself banned.", examples=["internet"])
    client: MachineName = Field(description="Machine that the ban must not touch.", examples=["poste"])
    unban: str = Field(
        description="Command on the machine, {address}: lift the ban.",
        examples=["fail2ban-client unban {address}"],
    )


class TlsEndpoint(Strict):
    """A service that speaks TLS, beyond those that other declarations name."""

    host: str = Field(description="Name or address of the service.", examples=["annuaire.capvoile.test"])
    port: int = Field(ge=1, le=65535, description="TCP port.", examples=[636])
    starttls: Literal["", "ldap", "smtp", "imap", "postgres"] = Field(
        default="", description="Protocol that turns to TLS on demand; empty: TLS at once.", examples=["ldap"]
    )


class Encryption(Strict):
    """1.3.c: what is encrypted, and by whose authority."""

    ca: str = Field(
        default="lab", description="lab (the lab's own authority), or the path of a PEM bundle.", examples=["lab"]
    )
    min_days_left: int = Field(default=7, ge=0, description="Days a certificate must remain valid.", examples=[7])
    endpoints: list[TlsEndpoint] = Field(
        default=[],
        description="TLS services no other section names.",
        examples=[[{"host": "annuaire", "port": 636}]],
    )
    client: MachineName = Field(description="Machine that connects to the services.", examples=["poste"])
    capture_on: MachineName = Field(
        description="Machine on the way, where the login is captured.", examples=["fw"]
    )
    capture_interface: str = Field(default="any", description="Interface of the capture.", examples=["any"])
    login_url: str = Field(
        description="Login whose capture must hold no password (https).",
        examples=["https://portail.capvoile.test/extranet/"],
    )
    account: AccountName = Field(description="Account that logs in.", examples=["alice"])


class TrafficAnalysis(Service):
    """1.3.d, 2.1.c: a flow made for the purpose is seen and decoded."""

    interface: str = Field(description="Interface that the analyser listens on.", examples=["mirror"])
    flow_url: str = Field(
        description="http(s) address requested to make the flow.", examples=["http://www.meteo-marine.test/"]
    )
    flow_client: MachineName = Field(description="Machine that makes the flow.", examples=["proxy"])


class OperatingSystems(Strict):
    """1.1.e: the servers whose systems are compared."""

    machines: list[MachineName] = Field(
        min_length=1, description="Servers that are asked for their system.", examples=[["annuaire", "bdd"]]
    )


class Cloud(Strict):
    """0.a: an online resource."""

    url: str = Field(description="Address of the resource (https).", examples=["https://nuage.lycee.fr"])
    client: MachineName = Field(description="Machine that it is used from.", examples=["poste"])


class Services(Strict):
    """Capabilities of the lab; each is optional, what is absent cannot be proven."""

    directory: Directory | None = None
    portal: Portal | None = None
    dbms: Dbms | None = None
    internet_access: InternetAccess | None = None
    collaboration: Collaboration | None = None
    operating_systems: OperatingSystems | None = None
    backup: Backup | None = None
    restricted_area: RestrictedArea | None = None
    terminals: Terminals | None = None
    ticketing: Ticketing | None = None
    intrusion_detection: IntrusionDetection | None = None
    intrusion_prevention: IntrusionPrevention | None = None
    encryption: Encryption | None = None
    traffic_analysis: TrafficAnalysis | None = None
    cloud: Cloud | None = None
    site_link: SiteLink | None = None
    website: Website | None = None
    load_balancer: LoadBalancer | None = None
    continuity: Continuity | None = None
    supervision: Supervision | None = None
    frame_analyser: FrameAnalyser | None = None
    remote_administration: RemoteAdministration | None = None
    configuration_management: ConfigurationManagement | None = None
    automation: Automation | None = None
    secured_access: SecuredAccess | None = None
    terminal_deployment: TerminalDeployment | None = None
    network_detection: NetworkDetection | None = None
    development: Development | None = None
    components: Components | None = None
    forge: Forge | None = None
    robustness: Robustness | None = None
    remote_data: RemoteData | None = None
