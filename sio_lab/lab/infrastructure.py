"""What a lab of option SISR claims to offer beyond section 1: one class a capability of Annexe II.E §2.

As in ``services``: a capability's name is also that of its role and of its check.
"""

from __future__ import annotations

from pydantic import Field

from sio_lab.lab.base import MachineName, Service


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
