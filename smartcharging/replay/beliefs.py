"""What an allocator is told of a car's departure and energy: the truth, the driver's word, or a forecast.

Nobody but `Truth` looks ahead: the others know of a car what was said when it came, and of cars that have left what
their meters showed.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np

from smartcharging.forecast import Forecaster, ForecastSettings, Stay
from smartcharging.problem import Floats, Ints
from smartcharging.replay.sessions import Session
from smartcharging.replay.timeline import Timeline, seconds

STAY_S_UNSAID = 6 * 3600.0
ENERGY_KWH_UNSAID = 15.0
"""Of drivers who said nothing: about what those who do say at a workplace ask for."""
OVERDUE_S = 300.0
"""A car that is there after its driver's time is expected to leave at any moment."""
MORE_KWH = 1.0
"""A car that draws on after what its driver asked for wants some more."""
_POINTS = np.array([1 / 6, 1 / 2, 5 / 6])


class Departures(StrEnum):
    """Whose word counts."""

    TRUE = "true"
    ESTIMATED = "estimated"
    """The driver's, taken at its word."""
    FORECAST = "forecast"
    """The planner's: the driver's word, and what was learned from stays that were over by then."""
    HISTORY = "history"
    """The planner's, of drivers who say nothing."""


class Believed(NamedTuple):
    """Of n cars: seconds until the departure, kWh still wanted; both positive, inf where unknown.

    `stays`: (n, t) as in `Cars`; None: nothing but the departure is known.
    """

    departs_s: Floats
    energy_kwh: Floats
    stays: Floats | None = None


class Beliefs(Protocol):
    """Knows what is believed of the cars that are there, from what could be known at that moment."""

    def believe(self, step: int, cars: Ints, drawn_kwh: Floats, slot_s: Floats) -> Believed:
        """Of the cars present at the begin of a step.

        Args:
            step: Now.
            cars: (n,) numbers of the sessions.
            drawn_kwh: (n,) what they were given so far.
            slot_s: (t,) slots that are planned.
        """

    def left(self, cars: Ints, drawn_kwh: Floats) -> None:
        """Cars have left.

        Args:
            cars: (n,) numbers of the sessions.
            drawn_kwh: (n,) what they were given in all.
        """


class Truth:
    """Departures and energy as they turned out."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def believe(self, step: int, cars: Ints, drawn_kwh: Floats, slot_s: Floats) -> Believed:  # noqa: ARG002 (theirs)
        """See `Beliefs`."""
        departs_s = seconds(self._timeline.depart[cars] - step, self._timeline.step_s)
        return Believed(departs_s, self._timeline.energy_kwh[cars] - drawn_kwh)

    def left(self, cars: Ints, drawn_kwh: Floats) -> None:
        """Nothing is learned from them."""


class Estimates:
    """What drivers said when they came, taken at their word; of those who said nothing, the same for all."""

    def __init__(self, timeline: Timeline) -> None:
        start_s = timeline.start.timestamp()
        self._step_s = timeline.step_s
        self.departs_at_s = np.array(
            [
                session.arrived_at.timestamp() + STAY_S_UNSAID - start_s
                if session.estimated_departure is None
                else session.estimated_departure.timestamp() - start_s
                for session in timeline.sessions
            ]
        )
        self.energy_kwh = np.array(
            [
                ENERGY_KWH_UNSAID if session.requested_kwh is None else session.requested_kwh
                for session in timeline.sessions
            ]
        )

    def believe(self, step: int, cars: Ints, drawn_kwh: Floats, slot_s: Floats) -> Believed:  # noqa: ARG002 (theirs)
        """See `Beliefs`."""
        departs_s: Floats = np.maximum(self.departs_at_s[cars] - step * self._step_s, OVERDUE_S)
        wanted = self.energy_kwh[cars] - drawn_kwh
        return Believed(departs_s, np.where(wanted > 0, wanted, MORE_KWH))

    def left(self, cars: Ints, drawn_kwh: Floats) -> None:
        """Nothing is learned from them."""


class Forecasts:
    """What the planner's own forecaster says, which learns each stay when it is over.

    `history`: sessions from before; those not over when the replay begins are not looked at. `claims`: whether drivers
    say something.
    """

    def __init__(
        self,
        timeline: Timeline,
        history: Sequence[Session] = (),
        *,
        settings: ForecastSettings | None = None,
        claims: bool = True,
    ) -> None:
        self._timeline = timeline
        self._claims = claims
        over = (session for session in history if session.departed_at <= timeline.start)
        self._forecaster = Forecaster([self._stay(session, session.energy_kwh) for session in over], settings=settings)

    def _stay(self, session: Session, energy_kwh: float) -> Stay:
        departure, requested = self._claims_of(session)
        return Stay(
            station=session.station,
            arrived_at=session.arrived_at,
            departed_at=session.departed_at,
            energy_kwh=energy_kwh,
            token_key=session.token,
            claimed_departs_at=departure,
            claimed_kwh=requested,
        )

    def believe(self, step: int, cars: Ints, drawn_kwh: Floats, slot_s: Floats) -> Believed:
        """See `Beliefs`."""
        now = self._timeline.at(step)
        count = len(cars)
        departs_s, energy_kwh, stays = np.empty(count), np.empty(count), np.empty((count, len(slot_s)))
        begins = np.cumsum(slot_s) - slot_s
        moments_s = (begins[:, None] + slot_s[:, None] * _POINTS).ravel()
        for place, car in enumerate(cars.tolist()):
            session, drawn = self._timeline.sessions[car], float(drawn_kwh[place])
            arrived_at = min(session.arrived_at, now)
            departure, requested = self._claims_of(session)
            need = self._forecaster.need(
                session.token,
                session.station,
                "",
                arrived_at,
                now,
                drawn,
                claimed_departs_at=departure,
                claimed_kwh=requested,
            )
            curve = self._forecaster.stay_curve(session.token, session.station, "", arrived_at, departure)
            here_s = (now - arrived_at).total_seconds()
            stays[place] = curve.alive(here_s, moments_s).reshape(len(slot_s), len(_POINTS)).mean(axis=1)
            departs_s[place] = np.inf if need.departs_at is None else (need.departs_at - now).total_seconds()
            energy_kwh[place] = need.energy_kwh if requested is None else max(requested - drawn, MORE_KWH)
        return Believed(np.maximum(departs_s, OVERDUE_S), energy_kwh, stays)

    def _claims_of(self, session: Session) -> tuple[datetime | None, float | None]:
        return (session.estimated_departure, session.requested_kwh) if self._claims else (None, None)

    def left(self, cars: Ints, drawn_kwh: Floats) -> None:
        """Learns from stays that are over: what was delivered, not what was wanted, as meters do."""
        for car, drawn in zip(cars.tolist(), drawn_kwh.tolist(), strict=True):
            self._forecaster.learn(self._stay(self._timeline.sessions[car], drawn))


def beliefs_of(
    departures: Departures, history: Sequence[Session] = (), settings: ForecastSettings | None = None
) -> Callable[[Timeline], Beliefs]:
    """Makes what an allocator is told; `history` and `settings` count for FORECAST and HISTORY alone."""

    def made(timeline: Timeline) -> Beliefs:
        match departures:
            case Departures.TRUE:
                return Truth(timeline)
            case Departures.ESTIMATED:
                return Estimates(timeline)
            case Departures.FORECAST | Departures.HISTORY:
                claims = departures is Departures.FORECAST
                return Forecasts(timeline, history, settings=settings, claims=claims)

    return made
