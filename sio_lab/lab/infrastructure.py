"""What a lab of option SISR claims to offer beyond section 1: one class a capability of Annexe II.E §2.

As in ``services``: a capability's name is also that of its role and of its check.
"""

from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import Field

from sio_lab.lab.base import AccountName, MachineName, Service, Strict


class FrameAnalyser(Service):
    """2.1.c: a frame analyser on the administration machine."""

    interface: str = Field(description="Interface that it listens on.", examples=["admin"])
    peer: MachineName = Field(
        description="Machine with which an SSH dialogue is begun, for the analyser to see.",
        examples=["sauvegarde"],
    )


class EquipmentVersions(Strict):
    """Configurations of network equipment, kept and compared by the machine of configuration management."""

    machines: list[MachineName] = Field(
        min_length=1,
        description="Equipment whose configuration is kept; checks alter that of the first.",
        examples=[["routeur", "routeur-escale"]],
    )
    check: str = Field(
        description="Command: tell what differs from the reference; exit status 0 without, 2 with a difference.",
        examples=["sio-equipment check"],
    )
    save: str = Field(
        description="Command: keep a new version of each configuration that changed.",
        examples=["sio-equipment save"],
    )
    show: str = Field(
        description="Command: print the last version that was kept.", examples=["sio-equipment show {machine}"]
    )
    history: str = Field(
        description="Command: print the versions that were kept, one a line.",
        examples=["sio-equipment history {machine}"],
    )
    change: list[str] = Field(
        default=["ip route {address}/32 blackhole"],
        min_length=1,
        description="Harmless lines of configuration that name a given address (RFC 5737: nobody's).",
        examples=[["ip route {address} 255.255.255.255 Null0"]],
    )
    undo: list[str] = Field(
        default=["no ip route {address}/32 blackhole"],
        min_length=1,
        description="Lines that undo them.",
        examples=[["no ip route {address} 255.255.255.255 Null0"]],
    )


class ConfigurationManagement(Service):
    """2.1.d: drift of a managed file is seen and undone, and the history shows both; so is that of equipment."""

    managed: list[MachineName] = Field(
        min_length=1, description="Machines whose file is managed.", examples=[["partage", "collab"]]
    )
    path: str = Field(description="Managed file on them; checks alter it.", examples=["/etc/motd"])
    check: str = Field(
        description="Command on the (first) machine: tell drift; exit status 0 without, 2 with drift.",
        examples=["sio-config check"],
    )
    apply: str = Field(description="Command: undo drift.", examples=["sio-config apply"])
    history: str = Field(
        description="Command: print the history, an entry a line.", examples=["sio-config history"]
    )
    drift_entry: str = Field(
        default="Drift: {machine}",
        description="Text of the history's entry on a drift.",
        examples=["Drift: {machine}"],
    )
    restored_entry: str = Field(
        default="Restored: {machine}",
        description="Text of the history's entry on a restoration.",
        examples=["Restored: {machine}"],
    )
    equipment: EquipmentVersions | None = Field(
        default=None, description="What keeps the configurations of network equipment, where the lab has some."
    )


class RemoteAdministration(Service):
    """2.1.e: servers, terminals and equipment are administered over SSH, from one machine (the first)."""

    user: str = Field(default="root", description="Account that administrators log in with.", examples=["root"])
    key: str = Field(
        default="/root/.ssh/id_ed25519",
        description="Private key, on the machine of the administrators.",
        examples=["/root/.ssh/id_ed25519"],
    )
    stranger: MachineName = Field(
        description="Machine of the users' perimeter, from which no login is possible.", examples=["poste"]
    )


class Automation(Service):
    """2.2.c: a procedure written in a scripting language, on the (first) machine."""

    language: Literal["shell", "python", "powershell", "perl"] = Field(
        description="Language of the procedure.", examples=["python"]
    )
    path: str = Field(description="File of the procedure.", examples=["/opt/procedures/promotion.py"])
    run: str = Field(
        description="Command that runs it.",
        examples=["/opt/procedures/promotion.py /opt/procedures/promotion.csv"],
    )
    undo: str = Field(
        description="Command that removes its effect.",
        examples=["/opt/procedures/promotion.py --undo /opt/procedures/promotion.csv"],
    )
    target: MachineName = Field(description="Machine that it acts on.", examples=["partage"])
    effect: str = Field(
        description="Command on the target that prints what the procedure brought about: nothing without it.",
        examples=["getent group promotion"],
    )


class SecuredAccess(Strict):
    """2.1.g: intranet and extranet are reached over TLS and after authentication, from inside and from outside."""

    intranet_url: str = Field(
        description="Page for internal users (https).", examples=["https://portail.capvoile.test/intranet/"]
    )
    intranet_account: AccountName = Field(description="Account that may see it.", examples=["alice"])
    extranet_url: str = Field(
        description="Page for external users (https).", examples=["https://portail.capvoile.test/extranet/"]
    )
    extranet_account: AccountName = Field(
        description="Account that may see it, and not the intranet.", examples=["denis.club"]
    )
    client: MachineName = Field(description="Machine inside the organisation.", examples=["poste"])
    outside_client: MachineName = Field(description="Machine outside.", examples=["internet"])


class SiteLink(Service):
    """2.2.a: a secured link between two sites."""

    machines: list[MachineName] = Field(
        min_length=2,
        max_length=2,
        description="Router of the first site, then that of the second; both stand in the perimeter between.",
        examples=[["routeur", "routeur-escale"]],
    )
    remote: MachineName = Field(description="Machine of the second site.", examples=["escale"])
    server: MachineName = Field(description="Server of the first site that it reaches.", examples=["collab"])
    port: int = Field(ge=1, le=65535, description="TCP port of that server.", examples=[5232])
    interface: str = Field(
        description="Interface of both routers that carries the encrypted packets.", examples=["internet"]
    )
    inner_interface: str = Field(
        description="Interface of the first router on the side of its own site.", examples=["dmz"]
    )
    packets: str = Field(
        default="udp port 51820",
        description="What the tunnel's packets are, seen from outside (pcap-filter(7)).",
        examples=["esp or udp port 4500"],
    )
    cut: str = Field(
        default="ip link set wg0 down",
        description="Command of the first router that cuts the tunnel.",
        examples=["ip link set wg0 down"],
    )
    restore: str = Field(
        default="ip link set wg0 up",
        description="Command of the first router that brings the tunnel back.",
        examples=["ip link set wg0 up"],
    )
    convergence_seconds: float = Field(
        default=10,
        gt=0,
        le=120,
        description="Seconds within which routers have found, or given up, other ways.",
        examples=[10],
    )


class TerminalDeployment(Service):
    """2.2.b: a bare terminal gets an address, a boot file and an unattended installation."""

    client: MachineName = Field(
        description="Machine of the terminals' network, which plays the bare terminal.", examples=["poste"]
    )
    interface: str = Field(description="Its interface on that network.", examples=["users"])
    first_address: IPv4Address = Field(
        description="First address that terminals are given.", examples=["172.30.30.100"]
    )
    last_address: IPv4Address = Field(description="Last one.", examples=["172.30.30.199"])
    boot_file: str = Field(
        description="Program that the network card is given to start.", examples=["undionly.kpxe"]
    )
    boot_script: str = Field(
        description="Script that this program (iPXE) is given; it names kernel, initrd and answers.",
        examples=["sio-lab.ipxe"],
    )
    answers: str = Field(
        description="Address of the unattended installation's answers, as the script names it; a bare terminal "
        "resolves no names.",
        examples=["tftp://172.30.30.40/preseed.cfg"],
    )
    stranger: MachineName = Field(
        description="Machine of another network, which must be given nothing.", examples=["partage"]
    )
    stranger_interface: str = Field(description="Its interface on that network.", examples=["servers"])


class NetworkDetection(Service):
    """2.2.d: a port scan (seen by the first machine) and a forged ARP answer (seen by the last) are detected."""

    log: str = Field(
        description="File of alerts on the first machine: EVE JSON or one line an alert.",
        examples=["/var/log/suricata/eve.json"],
    )
    signature: str = Field(description="Text that the alert on a scan holds.", examples=["Balayage de ports"])
    host: str = Field(
        description="What is scanned: a name or an address, as the scanning machine knows it.",
        examples=["portail.capvoile.test"],
    )
    port: int = Field(default=443, ge=1, le=65535, description="Port that is open there.", examples=[443])
    scanner: MachineName = Field(description="Machine that scans.", examples=["internet"])
    arp_log: str = Field(
        description="File of alerts on the last machine, one line an alert.", examples=["/var/log/arpwatch.log"]
    )
    arp_signature: str = Field(
        default="changed ethernet address",
        description="Text of the alert on an address that changes hands.",
        examples=["changed ethernet address"],
    )
    spoofer: MachineName = Field(
        description="Machine that forges ARP answers, in a network of the last machine's.", examples=["poste"]
    )
    interface: str = Field(description="Its interface there.", examples=["users"])
    delay_seconds: int = Field(
        default=10, ge=1, description="Longest acceptable delay of an alert.", examples=[10]
    )


class AlertReceiver(Strict):
    """Where alerts are delivered."""

    machine: MachineName = Field(description="Machine that receives them.", examples=["superv"])
    path: str = Field(
        default="/var/log/sio-lab/alerts.jsonl",
        description="File of what was delivered: Alertmanager's notifications (webhook), one JSON object a line.",
        examples=["/var/log/sio-lab/alerts.jsonl"],
    )


Selector = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})?$")]


class Supervision(Service):
    """2.1.f: quality, security and availability of all machines are supervised, and alerts are delivered."""

    api: str = Field(
        default="http://127.0.0.1:9090",
        description="Supervisor's API, as seen from its own (first) machine.",
        examples=["http://127.0.0.1:9090"],
    )
    label: str = Field(
        default="instance",
        description="Label that names what is watched, by a name or an address of the machine.",
        examples=["instance"],
    )
    availability: Selector = Field(
        default="probe_success",
        description="Indicator of availability, of every machine: 0 where it is down.",
        examples=["up"],
    )
    quality: Selector = Field(
        default="probe_duration_seconds",
        description="Indicator of quality, of every machine: a response time, a load…",
        examples=["probe_duration_seconds"],
    )
    security: Selector = Field(
        default="probe_ssl_earliest_cert_expiry",
        description="Indicator of security, of one service at least: expiry of a certificate, refused logins…",
        examples=["probe_ssl_earliest_cert_expiry"],
    )
    equipment: Selector = Field(
        default="ifOperStatus",
        description="Indicator taken by SNMP of every machine that is network equipment.",
        examples=["sysUpTime"],
    )
    receiver: AlertReceiver = Field(description="Where alerts arrive.", examples=[{"machine": "superv"}])
    target: MachineName = Field(
        description="Machine on which a service is stopped, where disruption is allowed.", examples=["collab"]
    )
    unit: str = Field(description="systemd unit that is stopped there.", examples=["radicale"])
    delay_seconds: int = Field(
        default=30, ge=1, le=90, description="Longest delay of a delivered alert, in seconds.", examples=[30]
    )


class Website(Service):
    """2.1.b: a service of the organisation that several machines render; its data is in the DBMS."""

    url: str = Field(
        description="Page that users see (https); a header of the answer names the machine that answered.",
        examples=["https://www.capvoile.test/"],
    )
    entries_url: str = Field(
        description="What users read (GET: a JSON list) and add to (POST of a form: returns the entry).",
        examples=["https://www.capvoile.test/regates"],
    )
    client: MachineName = Field(description="Machine that a user works from.", examples=["poste"])


class LoadBalancer(Service):
    """2.1.j: requests are spread over several machines."""

    url: str = Field(
        description="Page whose requests are spread (https).", examples=["https://www.capvoile.test/"]
    )
    backends: list[MachineName] = Field(
        min_length=2, description="Machines that the requests are spread over.", examples=[["web1", "web2"]]
    )
    served_by: str = Field(
        default="X-Served-By",
        description="Header of the answers that names the machine that answered.",
        examples=["X-Served-By"],
    )
    least_share: int = Field(
        default=30,
        ge=1,
        le=50,
        description="Smallest share of the requests that a machine gets, in percent.",
        examples=[30],
    )
    unit: str = Field(
        default="apache2", description="systemd unit of the service on the backends.", examples=["apache2"]
    )
    client: MachineName = Field(description="Machine that requests come from.", examples=["poste"])


class Continuity(Service):
    """2.1.h: a service goes on, with its data, when its nominal machine (the first) stops: the last takes over."""

    unit: str = Field(
        default="",
        description="systemd unit that is stopped on the nominal machine; by default the machine loses its power.",
        examples=["postgresql"],
    )
    entries_url: str = Field(
        description="What users read (GET: a JSON list) and add to (POST of a form: returns the entry), and whose "
        "data the machines keep.",
        examples=["https://www.capvoile.test/regates"],
    )
    client: MachineName = Field(description="Machine that a user works from.", examples=["poste"])
    recovery_seconds: float = Field(
        default=15, gt=0, le=120, description="Longest time without service, in seconds.", examples=[15]
    )
    role: str = Field(
        description="Command on each of the machines: tell what it is.", examples=["cat /run/sio-dbms/role"]
    )
    nominal: str = Field(
        default="primary in step",
        description="What it prints on the nominal machine as long as another could replace it without loss.",
        examples=["primary in step"],
    )
    replacing: str = Field(
        default="primary alone",
        description="What it prints on the last machine while that one replaces it.",
        examples=["primary alone"],
    )
