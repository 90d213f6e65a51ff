"""Campaigns: one command to many stations, sent at a bounded rate."""

from datetime import datetime
from enum import StrEnum

from engine.model.commands import Command
from engine.model.word import Word

STATIONS_MAX = 100_000


class CampaignState(StrEnum):
    """What becomes of a campaign."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    """Somebody ended it: what was not sent is not sent."""
    DONE = "done"
    """Every command of it is settled."""


CAMPAIGN_OVER = frozenset({CampaignState.STOPPED, CampaignState.DONE})


class CampaignStarted(Word, frozen=True):
    """Fact of the operator's: this command is to go to these stations.

    `rate_per_s`: commands recorded per second at most. `deadline_s`: of each command, from when it is recorded.
    `priority`, `waits`: see `engine.model.commands.CommandRequest`. The command of station n (from 0) is
    `command_id(campaign_id, n)`.
    """

    campaign_id: str
    command: Command
    stations: tuple[str, ...]
    rate_per_s: float
    deadline_s: float
    created_at: datetime
    by: str = ""
    priority: int = -10
    waits: bool = False
    note: str | None = None


class CampaignChanged(Word, frozen=True):
    """Fact of the operator's: the campaign is paused, goes on, is stopped or done."""

    campaign_id: str
    state: CampaignState
    changed_at: datetime
    by: str = ""


def command_id(campaign_id: str, number: int) -> str:
    """The id of the command to the station of this number; all of a campaign begin alike."""
    return f"{campaign_id}.{number:06d}"
