"""When a site is planned: soon after news, not too often, and now and then without any.

news           `coalesce_s` after the first of a burst, `pace_s` after the last plan at least
no news        `replan_s` after the last plan, a little earlier for some sites than for others
limits change  shortly before, so that a decrease is told in time, and when it is so far
emergency      now
"""

import zlib
from datetime import datetime, timedelta

from smartcharging.planning.settings import PlannerSettings
from smartcharging.planning.situation import AHEAD_S
from smartcharging.planning.triggers import START, TIME

PLAN_AFTER_EMERGENCY = timedelta(seconds=6)
"""Until then all stations of a fleet have been told, and the machine has nothing better to do."""
_SPREAD = 0.2
_A_LITTLE = timedelta(seconds=1)


class Turns:
    """The turns of one site.

    `triggers`: why it is to be planned, the first first. `urgent`: an emergency waits.

    Args:
        site: Its id, so that not all have their turn at the same moment.
        settings: How often.
    """

    def __init__(self, site: str, settings: PlannerSettings) -> None:
        self._coalesce = timedelta(seconds=settings.coalesce_s)
        self._pace = timedelta(seconds=settings.pace_s)
        share = 1 - _SPREAD * (zlib.crc32(site.encode()) % 1000) / 1000
        self._replan = timedelta(seconds=settings.replan_s * share)
        self._planned_at: datetime | None = None
        self._due: datetime | None = None
        self._changes: datetime | None = None
        self.triggers: dict[str, None] = {START: None}
        self.urgent = False

    @property
    def trigger(self) -> str:
        """Why, in a few words."""
        return ", ".join(self.triggers) or TIME

    def news(self, trigger: str, now: datetime, *, within: timedelta | None = None) -> None:
        """Something happened that changes the plan. `within`: it need not be sooner; None: as soon as may be."""
        self.triggers.setdefault(trigger)
        due = now + (self._coalesce if within is None else within)
        if self._due is None or due < self._due:
            self._due = due

    def emergency(self, trigger: str, now: datetime) -> None:
        """Stations are to be told at once; the plan follows."""
        self.urgent = True
        self.news(trigger, now, within=PLAN_AFTER_EMERGENCY)

    def change_at(self, at: datetime | None, now: datetime) -> None:
        """Limits or caps will be others from then on."""
        if at is None:
            self._changes = None
            return
        before = at - timedelta(seconds=AHEAD_S)
        self._changes = before if before > now + _A_LITTLE else at + _A_LITTLE

    def due_at(self, now: datetime) -> datetime:
        """When it is to be planned next."""
        if self.urgent or self._planned_at is None:
            return now
        self._planned_at = min(self._planned_at, now)  # the clock may have been put back
        dues = [self._planned_at + self._replan]
        dues += [at for at in (self._due, self._changes) if at is not None]
        return max(min(dues), self._planned_at + self._pace)

    def began(self, now: datetime) -> str:
        """A plan begins that knows all the news; returns why."""
        trigger = self.trigger
        self._planned_at = now
        self._due = self._changes = None
        self.triggers.clear()
        return trigger
