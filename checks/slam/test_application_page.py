"""3.2.b: code that runs in a browser."""

from __future__ import annotations

import secrets

from sio_lab.audit import applications
from sio_lab.audit.proof import Proof
from sio_lab.audit.requirement import requirement
from sio_lab.lab.model import Lab
from sio_lab.lab.software import PageCode
from sio_lab.probes import browser
from sio_lab.text import Text

QUICK = 4.0
"""Seconds that data which must not come is waited for."""


@requirement("3.2.b", title=Text("Code de la page, dans Chromium", "Code of the page, in Chromium"), deadline=300)
def test_pages_show_the_data(lab: Lab, proof: Proof) -> None:
    """In a real browser, the page's own code shows what was just added, to who logs in.

    Satisfied: of each page that an application declares, over TLS that the browser trusts, the declared element
    shows the entry once the account has logged in through the form; nothing shows it before, after a wrong
    password, or where the browser runs no code.
    Not satisfied: one of these is seen to be otherwise.
    Unverified: no application declares a page, or there is no browser there.
    Reads: applications.
    """
    for application in applications.having(lab, "browser", Text("de page web", "a web page")).values():
        page, account, title = application.browser, application.account, application.title
        assert isinstance(page, PageCode)
        user, machine = applications.user(proof, application), proof.machine(page.machine)
        with applications.planted(proof, application, user, "page") as entry:
            with browser.on(machine) as opened:
                wrong = opened.use(page, account, secrets.token_hex(8), entry.mark, within=QUICK)
                shown = applications.served(opened.use, page, account, proof.password(account), entry.mark)
            applications.page_shows(proof, title, shown, entry.mark)
            applications.page_hides(proof, title, wrong, entry.mark)
            with browser.on(machine, javascript=False) as inert:
                still = inert.use(page, account, proof.password(account), entry.mark, within=QUICK)
        proof.holds(
            still.answer != "unavailable" and entry.mark not in still.source,
            still,
            side="negative",
            fr=f"{title} : les données viennent sans que le code de la page s'exécute",
            en=f"{title}: the data comes without the page's code being run",
        )
