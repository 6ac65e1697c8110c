"""3.2.c: code that runs on a mobile terminal."""

from __future__ import annotations

import secrets

from sio_lab.audit import applications
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.errors import InconclusiveError
from sio_lab.lab.model import Lab
from sio_lab.lab.software import PageCode
from sio_lab.probes import browser, mobile
from sio_lab.probes.browser import InstallObservation
from sio_lab.text import Text

QUICK = 4.0
"""Seconds that data which must not come is waited for."""
BRIDGE = 5555
OF_ITS_OWN = frozenset({"standalone", "fullscreen", "minimal-ui"})
"""Ways of being shown that make an application of a page (Web Application Manifest, §1.8)."""
READY = frozenset({"activating", "activated"})


@requirement("3.2.c", title=Text("Application sur le mobile", "Application on the mobile"), deadline=300)
def test_mobile_applications_show_the_data(lab: Lab, proof: Proof) -> None:
    """On the mobile terminal, reached over adb, the application opens in a window of its own and shows the data.

    Satisfied: of each mobile page that an application declares, the terminal's browser finds that it can be
    installed (a manifest with icons, a service worker that becomes ready); opened as an application, it shows what
    was just added once the account has logged in, and nothing of it before, or after a wrong password. A simulated
    device is told as a reservation.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: no application declares one, no machine with adb is declared, or the terminal has no browser.
    Reads: applications, services.terminals.
    """
    found = applications.having(lab, "mobile", Text("de code sur un mobile", "code on a mobile terminal"))
    if lab.services.terminals is None:
        raise InconclusiveError(
            Text("rien ne dit d'où le mobile se joint", "nothing says where the mobile is reached from"),
            where="services.terminals",
        )
    bridge = proof.machine(lab.services.terminals.client)
    for application in found.values():
        page, account, title = application.mobile, application.account, application.title
        assert isinstance(page, PageCode)
        host = lab.fqdn(page.machine)
        device = mobile.identity(bridge, host, BRIDGE)
        proof.works(
            device,
            fr=f"le terminal mobile {page.machine} ne donne pas son identité",
            en=f"the mobile terminal {page.machine} does not give its identity",
        )
        user = applications.user(proof, application)
        with (
            applications.planted(proof, application, user, "mobile") as entry,
            browser.on_mobile(bridge, f"{host}:{BRIDGE}", simulated=device.simulated, app=page.url) as opened,
        ):
            wrong = opened.use(page, account, secrets.token_hex(8), entry.mark, within=QUICK)
            shown = applications.served(opened.use, page, account, proof.password(account), entry.mark)
            install = opened.installable(page)
        applications.page_shows(proof, title, shown, entry.mark)
        applications.page_hides(proof, title, wrong, entry.mark)
        installable(proof, title, install)
        if device.simulated:
            proof.holds(
                install.standalone,
                install,
                side="positive",
                fr=f"{title} : ne s'ouvre pas dans une fenêtre à elle",
                en=f"{title}: does not open in a window of its own",
            )
            proof.remark(
                fr="sous réserve : le terminal mobile est simulé",
                en="with a reservation: the mobile terminal is simulated",
            )


def installable(proof: Proof, title: str, seen: InstallObservation) -> None:
    """Judge that the page can be installed, by its manifest and its service worker."""
    proof.works(
        seen,
        fr=f"{title} : la page mobile ne peut être installée",
        en=f"{title}: the mobile page cannot be installed",
    )
    proof.holds(
        seen.manifest.get("display") in OF_ITS_OWN and bool(seen.manifest.get("icons")),
        seen,
        side="positive",
        fr=f"{title} : le manifeste de la page mobile n'a pas d'icône, ou n'en fait pas une application",
        en=f"{title}: the mobile page's manifest has no icon, or makes no application of it",
    )
    proof.holds(
        seen.worker in READY,
        seen,
        side="positive",
        fr=f"{title} : aucun service worker ne devient prêt ({seen.worker or 'aucun'})",
        en=f"{title}: no service worker becomes ready ({seen.worker or 'none'})",
    )
