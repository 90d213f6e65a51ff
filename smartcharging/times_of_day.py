"""Which slots a window of the day touches, in the site's time zone, whatever the clock does there.

A window says when it begins and ends on the wall. On days on which the clock changes, one that begins or ends within
the hour that is missing or doubled is taken as long as it can be: for limits, the least counts.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from engine.model.sites import DAY_S, TimedLimit, TimedPrice
from smartcharging.problem import Floats

Window = tuple[int, int, tuple[int, ...]]
"""`from_s`, `to_s`, `weekdays`."""

Flags = NDArray[np.bool_]


def window_of(timed: TimedLimit | TimedPrice) -> Window:
    """When it counts. What has the same window shares the answer."""
    return timed.from_s, timed.to_s, timed.weekdays


def touched(window: Window, start: datetime, slot_s: Floats, zone: ZoneInfo) -> Flags:
    """Which slots a window touches, be it for a second.

    Args:
        window: Of the day.
        start: When slot 0 begins, aware.
        slot_s: (t,) how long each lasts.
        zone: Whose clock the window goes by.

    Returns:
        (t,) bool.
    """
    ends = np.cumsum(slot_s)
    starts = ends - slot_s
    flags = np.zeros(len(slot_s), dtype=np.bool_)
    for from_s, to_s in _spans(window, start, float(ends[-1]) if len(ends) else 0.0, zone):
        flags |= (starts < to_s) & (ends > from_s)
    return flags


def shares(windows: Sequence[Window], start: datetime, slot_s: Floats, zone: ZoneInfo) -> Floats:
    """What part of each slot each window covers: for prices, where a slot's mean counts.

    Returns:
        (windows, t), 0 to 1.
    """
    ends = np.cumsum(slot_s)
    starts = ends - slot_s
    covered = np.zeros((len(windows), len(slot_s)))
    for number, window in enumerate(windows):
        for from_s, to_s in _spans(window, start, float(ends[-1]) if len(ends) else 0.0, zone):
            covered[number] += np.clip(np.minimum(ends, to_s) - np.maximum(starts, from_s), 0.0, None)
    return np.minimum(covered / slot_s, 1.0)


def _spans(window: Window, start: datetime, length_s: float, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    """From and to, in seconds after `start`, of each time that the window comes within `length_s`."""
    from_s, to_s, weekdays = window
    first = start.astimezone(zone).date() - timedelta(days=1)
    last = (start + timedelta(seconds=length_s)).astimezone(zone).date()
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if weekdays and day.isoweekday() not in weekdays:
            continue
        begins = min(_on_the_wall(day, from_s, fold, zone) for fold in (0, 1))
        ends = max(_on_the_wall(day, to_s if to_s > from_s else to_s + DAY_S, fold, zone) for fold in (0, 1))
        yield (begins - start).total_seconds(), (ends - start).total_seconds()


def _on_the_wall(day: date, after_midnight_s: int, fold: int, zone: ZoneInfo) -> datetime:
    """When the clock on the wall shows this, by the first (`fold` 0) or second reading of what is ambiguous."""
    days, seconds = divmod(after_midnight_s, DAY_S)
    wall = datetime.combine(day + timedelta(days=days), time(), zone) + timedelta(seconds=seconds)
    return wall.replace(fold=fold).astimezone(UTC)
