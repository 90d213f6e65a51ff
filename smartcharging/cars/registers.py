"""How much energy a car has had, by a register that may go backwards, jump, or be replaced.

Energy is the sum of believable steps. A step is believable if the outlet could have delivered it in that time. After
one that is not, the register is followed from where it is now; if it returns to where it was, the step was a glitch and
what came before is taken up again.
"""

from datetime import datetime
from math import isfinite, nan
from typing import NamedTuple

NOISE_WH = 10.0
"""A register may be so much lower than before without meaning it."""
SLACK_WH = 1500.0
"""So much is believed at once: registers count in kWh, and clocks are coarse."""
MARGIN = 1.3
RATE_S_MIN = 45.0
RATE_S_MAX = 3600.0


class _Place(NamedTuple):
    """Where the register was, how much had been delivered then, and when."""

    wh: float
    energy_wh: float
    at: datetime


class Register:
    """Of one transaction."""

    __slots__ = ("_at", "_before", "_kw_max", "_rate_from", "_wh", "energy_wh", "power_kw")

    def __init__(self, kw_max: float) -> None:
        """A register whose outlet gives at most `kw_max`."""
        self._kw_max = kw_max
        self._wh = nan
        self._at: datetime | None = None
        self._before: _Place | None = None
        self._rate_from: _Place | None = None
        self.energy_wh = 0.0
        self.power_kw = nan
        """The mean over the last minute or more; nan: not known."""

    def begin(self, wh: float, at: datetime) -> None:
        """The register at the start of the transaction."""
        if not isfinite(wh) or wh < 0:
            return
        if not isfinite(self._wh):
            self._wh, self._at = wh, at
            self._rate_from = _Place(wh, 0.0, at)
            return
        energy_wh = self._wh - wh
        if energy_wh >= 0 and self._at is not None and self._believable(energy_wh, at, self._at):
            self.energy_wh = energy_wh  # a start that was told late

    def tell(self, wh: float, at: datetime) -> str | None:
        """The register now.

        Returns:
            What was odd, for people; None: nothing.
        """
        if not isfinite(wh):
            return None
        if wh < 0:
            return "a negative energy register left out"
        if self._at is None or not isfinite(self._wh):
            self.begin(wh, at)
            return None
        if at < self._at:
            return None
        step_wh, odd = wh - self._wh, None
        if self._returns(wh, at):
            self._return(wh)
        elif -NOISE_WH <= step_wh < 0:
            return None  # wait until it is where it was
        elif step_wh >= 0 and self._believable(step_wh, self._at, at):
            self.energy_wh += step_wh
        else:
            odd = self._strayed(wh)
        self._wh, self._at = wh, at
        self._rate(at)
        return odd

    def _returns(self, wh: float, at: datetime) -> bool:
        """Whether it is where it was before it strayed, and what it has counted since."""
        before = self._before
        return before is not None and wh >= before.wh and self._believable(wh - before.wh, before.at, at)

    def _return(self, wh: float) -> None:
        """Takes up again what came before a glitch; a new register that reaches the old one's value changes little."""
        before, self._before, self._rate_from = self._before, None, None
        assert before is not None
        self.energy_wh = max(self.energy_wh, before.energy_wh + wh - before.wh)

    def _strayed(self, wh: float) -> str:
        """Follows a register that is somewhere else from there."""
        assert self._at is not None
        self._before, self._rate_from = _Place(self._wh, self.energy_wh, self._at), None
        if wh < self._wh:
            return f"its meter went back from {self._wh:.0f} to {wh:.0f} Wh: counted on from there"
        return f"its meter jumped from {self._wh:.0f} to {wh:.0f} Wh: the jump is left out"

    def _believable(self, step_wh: float, since: datetime, at: datetime) -> bool:
        seconds = max((at - since).total_seconds(), 0.0)
        return step_wh <= SLACK_WH + MARGIN * self._kw_max * seconds / 3.6

    def _rate(self, at: datetime) -> None:
        """Mean power since a minute or more ago."""
        begun = self._rate_from
        if begun is None:
            self._rate_from = _Place(self._wh, self.energy_wh, at)
            self.power_kw = nan
            return
        seconds = (at - begun.at).total_seconds()
        if seconds < RATE_S_MIN:
            return
        self.power_kw = nan if seconds > RATE_S_MAX else (self.energy_wh - begun.energy_wh) * 3.6 / seconds
        self._rate_from = _Place(self._wh, self.energy_wh, at)
