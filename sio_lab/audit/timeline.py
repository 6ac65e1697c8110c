"""What users of a service saw while a part of it was cut: the part of the audit document that is drawn."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from sio_lab.text import Text


class Timeline(BaseModel):
    """Requests to one service, before a cut, during it and after. Times are seconds since ``started``."""

    model_config = ConfigDict(extra="forbid")

    title: Text = Field(description="What was cut.")
    url: str = Field(description="What was asked for.")
    client: str = Field(description="Machine that the requests came from.")
    started: datetime
    duration: float = Field(description="Seconds.")
    step: float = Field(description="Seconds that one number of the series stands for.")
    answered: dict[str, list[int]] = Field(
        description="Requests answered in each step, by who answered; '' where the answer does not say."
    )
    failed: list[int] = Field(description="Requests left without a good answer, in each step.")
    cut: float = Field(description="When the part was cut.")
    restored: float | None = Field(default=None, description="When it was given back.")
    nominal: float | None = Field(default=None, description="When the service was seen back in its nominal state.")
    outage: float = Field(description="Longest time without service, in seconds: no answer was seen for longer.")
    outage_at_least: float = Field(description="Its lower bound: from the first failed request to the last.")
    outage_start: float | None = Field(default=None, description="When it began; none where nothing failed.")
    p95: dict[str, float] = Field(
        description="Response time that 95 % of the answers kept to, in seconds: before, during, after."
    )
    requests: int = Field(description="Requests in all.")
    rate: float = Field(description="Requests a second.")
