"""What needs a person: raised once, told again when it changes much, cleared when it is over."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from engine.model.plans import AlertKind, SiteAlertCleared, SiteAlertRaised

TOLD_AGAIN_SHARE = 0.1
"""An amount that changed by less than this share is no news."""
AGAIN_AFTER = timedelta(minutes=15)
ALARMS_MAX = 1_000
"""Of one site; of more only the first are told."""

Key = tuple[AlertKind, str]


class Alarms:
    """The alarms of one site. Args: its id."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._raised: dict[Key, SiteAlertRaised] = {}

    @property
    def active(self) -> tuple[SiteAlertRaised, ...]:
        """Those that were raised and not cleared."""
        return tuple(self._raised.values())

    def news(self, current: Iterable[SiteAlertRaised], now: datetime) -> list[SiteAlertRaised | SiteAlertCleared]:
        """What has to be told, given all that is wrong now. Of the same kind and node the first counts."""
        wrong: dict[Key, SiteAlertRaised] = {}
        for alert in current:
            if len(wrong) < ALARMS_MAX:
                wrong.setdefault((alert.kind, alert.node), alert)
        told: list[SiteAlertRaised | SiteAlertCleared] = []
        for key, alert in wrong.items():
            known = self._raised.get(key)
            if known is None or _is_news(known, alert):
                self._raised[key] = alert
                told.append(alert)
        for key in self._raised.keys() - wrong.keys():
            del self._raised[key]
            told.append(SiteAlertCleared(site=self._site, kind=key[0], node=key[1], at=now))
        return told


def _is_news(known: SiteAlertRaised, alert: SiteAlertRaised) -> bool:
    """Another amount, or other words and a while ago."""
    before, after = known.over or 0.0, alert.over or 0.0
    if abs(after - before) > TOLD_AGAIN_SHARE * max(abs(before), abs(after), 1e-9):
        return True
    return alert.detail != known.detail and alert.at >= known.at + AGAIN_AFTER
