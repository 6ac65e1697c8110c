"""What FRR's vtysh answers, as login shell: played back to whoever asks.

Recorded on Debian 13 (FRR 10.3), then edited: kernel, build options, and a route that a fault had added.
"""

from __future__ import annotations

import sys
from pathlib import Path

PROMPT = "routeur# "
ANSWERS = {
    "show version": """\
FRRouting 10.3 (routeur) on Linux(6.12.48+deb13-amd64).
Copyright 1996-2005 Kunihiro Ishiguro, et al.
""",
    "show interface brief": """\
Interface       Status  VRF             Addresses
---------       ------  ---             ---------
dmz             up      default         172.30.10.40/24
internet        up      default         203.0.113.40/24
lo              up      default
wg0             up      default         10.255.255.1/30
                                        fe80::ddc3:73c3:5337:8c82/64
""",
    "show ip route": """\
Codes: K - kernel route, C - connected, L - local, S - static,
       R - RIP, O - OSPF, I - IS-IS, B - BGP, E - EIGRP, N - NHRP,
       T - Table, v - VNC, V - VNC-Direct, A - Babel, F - PBR,
       f - OpenFabric, t - Table-Direct,
       > - selected route, * - FIB route, q - queued, r - rejected, b - backup
       t - trapped, o - offload failure

IPv4 unicast VRF default:
K>* 0.0.0.0/0 [0/0] via 172.30.10.1, dmz onlink, weight 1, 00:04:48
O   10.255.255.0/30 [110/10] is directly connected, wg0, weight 1, 00:02:02
C>* 10.255.255.0/30 is directly connected, wg0, weight 1, 00:02:02
L>* 10.255.255.1/32 is directly connected, wg0, weight 1, 00:02:02
C>* 172.30.10.0/24 is directly connected, dmz, weight 1, 00:04:48
L>* 172.30.10.40/32 is directly connected, dmz, weight 1, 00:04:48
S>* 172.30.20.0/24 [1/0] via 172.30.10.1, dmz, weight 1, 00:04:48
S>* 172.30.40.0/24 [1/0] via 172.30.10.1, dmz, weight 1, 00:04:48
O>* 172.31.10.0/24 [110/20] via 10.255.255.2, wg0, weight 1, 00:01:55
S   172.31.10.0/24 [250/0] unreachable (blackhole), weight 1, 00:04:48
C>* 203.0.113.0/24 is directly connected, internet, weight 1, 00:04:48
L>* 203.0.113.40/32 is directly connected, internet, weight 1, 00:04:48
""",
    "show running-config": """\
Building configuration...

Current configuration:
!
frr version 10.3
frr defaults traditional
hostname routeur
log syslog warnings
no ipv6 forwarding
!
ip prefix-list SITE seq 5 permit 172.30.10.0/24
ip prefix-list SITE seq 10 permit 172.30.20.0/24
ip prefix-list SITE seq 15 permit 172.30.40.0/24
!
route-map SITE permit 10
 match ip address prefix-list SITE
exit
!
ip route 172.30.20.0/24 172.30.10.1
ip route 172.30.40.0/24 172.30.10.1
ip route 172.31.10.0/24 blackhole 250
!
interface wg0
 ip ospf dead-interval 4
 ip ospf hello-interval 1
 ip ospf network point-to-point
 no ip ospf passive
exit
!
router ospf
 ospf router-id 10.255.255.1
 redistribute connected route-map SITE
 redistribute static route-map SITE
 passive-interface default
 network 10.255.255.0/30 area 0
exit
!
end
""",
    "terminal length 0": "",
}


MODES = {
    "routeur# ": {"configure terminal": "routeur(config)# "},
    "routeur(config)# ": {"end": PROMPT, "exit": PROMPT},
}


class Router:
    """What it was told to do, kept in the file ``kept`` from one login to the next."""

    def __init__(self, kept: Path) -> None:
        self.kept = kept
        self.prompt = PROMPT

    def routes(self) -> list[str]:
        return self.kept.read_text().splitlines() if self.kept.exists() else []

    def answer(self, command: str) -> str:
        moves = MODES[self.prompt]
        if command in moves:
            self.prompt = moves[command]
            return ""
        if self.prompt != PROMPT:
            return self.configure(command)
        text = ANSWERS.get(command, f"% Unknown command: {command}\n")
        if command != "show running-config":
            return text
        return text.replace("ip route", "\n".join([*self.routes(), "ip route"]), 1)

    def configure(self, command: str) -> str:
        routes, wanted = self.routes(), command.removeprefix("no ")
        if not wanted.startswith("ip route "):
            return f"% Unknown command: {command}\n"
        if wanted == command:
            routes.append(command)
        elif wanted in routes:
            routes.remove(wanted)
        self.kept.write_text("\n".join(routes))
        return ""


def main() -> None:
    router = Router(Path(sys.argv[1]))
    command = next((sys.argv[at + 1] for at, word in enumerate(sys.argv) if word == "-c"), "")
    if command:
        sys.stdout.write(router.answer(command))
        return
    sys.stdout.write(
        "\nHello, this is FRRouting (version 10.3).\nCopyright 1996-2005 Kunihiro Ishiguro, et al.\n\n"
    )
    while True:
        sys.stdout.write(router.prompt)
        sys.stdout.flush()
        line = sys.stdin.readline()
        command = line.strip()
        if not line or (command == "exit" and router.prompt == PROMPT):
            return
        if command:
            sys.stdout.write(router.answer(command))


if __name__ == "__main__":
    main()
