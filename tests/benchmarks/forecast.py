"""How good the forecast is, out of sample.

    python tests/benchmarks/forecast.py [FILE ...] --from 2019-07-01

Walks through sessions (any file that `narke smart-bench` reads; without one, Caltech's of summer 2019) in the order of
time. Every session is forecast from those that were over before: when it arrives and again after 1, 3 and 6 hours if it
is still there. Pinball loss is the mean over the quantiles 0.1 to 0.9, in minutes and in kWh; coverage is how often the
truth was below a quantile, which should be that quantile.
"""

import argparse
import heapq
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from smartcharging.forecast import Forecaster, ForecastSettings, Stay
from smartcharging.replay.loaders import load

QUANTILES = np.arange(0.1, 0.91, 0.1)
AFTER_S = (0.0, 3600.0, 3 * 3600.0, 6 * 3600.0)


def stays_of(paths: list[Path]) -> list[Stay]:
    """All of the files, by arrival."""
    return [
        Stay(
            station=session.station,
            arrived_at=session.arrived_at,
            departed_at=session.departed_at,
            energy_kwh=session.energy_kwh,
            token_key=session.token,
            claimed_departs_at=session.estimated_departure,
            claimed_kwh=session.requested_kwh,
        )
        for session in load(paths).sessions
    ]


class Score:
    """Forecasts of one kind beside what came."""

    def __init__(self) -> None:
        self.forecasts: list[np.ndarray] = []
        self.truths: list[float] = []

    def add(self, forecast: np.ndarray, truth: float) -> None:
        self.forecasts.append(forecast)
        self.truths.append(truth)

    def pinball(self) -> float:
        missed = np.array(self.truths)[:, None] - np.array(self.forecasts)
        return float(np.maximum(QUANTILES * missed, (QUANTILES - 1) * missed).mean())

    def coverage(self, quantile: float) -> float:
        column = int(np.argmin(np.abs(QUANTILES - quantile)))
        return float(np.mean(np.array(self.truths) <= np.array(self.forecasts)[:, column]))


class Baseline:
    """All stays so far, alike: what a forecast must beat."""

    def __init__(self) -> None:
        self.stays: list[float] = []
        self.energies: list[float] = []
        self.by_hour: dict[int, list[float]] = {}

    def learn(self, stay: Stay) -> None:
        self.stays.append(stay.stay_s)
        self.energies.append(stay.energy_kwh or 0.0)
        self.by_hour.setdefault(stay.arrived_at.hour, []).append(stay.stay_s)

    @staticmethod
    def quantiles(known: list[float], already: float) -> np.ndarray:
        left = np.array([value for value in known if value > already])
        return np.quantile(left, QUANTILES) if len(left) else np.full(len(QUANTILES), already)


def walk(stays: list[Stay], settings: ForecastSettings, start: datetime) -> dict[str, Score]:
    """Forecasts every session from `start` on by what was over before it came; learns all."""
    forecaster, baseline, over, scores = Forecaster(settings=settings), Baseline(), [], {}
    for number, stay in enumerate(stays):
        while over and over[0][0] <= stay.arrived_at:
            done = heapq.heappop(over)[2]
            forecaster.learn(done)
            baseline.learn(done)
        heapq.heappush(over, (stay.departed_at, number, stay))
        if stay.arrived_at >= start and baseline.stays:
            for name, forecast, truth in _forecasts(forecaster, baseline, stay):
                scores.setdefault(name, Score()).add(forecast, truth)
    return scores


def _forecasts(forecaster: Forecaster, baseline: Baseline, stay: Stay) -> Iterator[tuple[str, np.ndarray, float]]:
    place = (stay.token_key, stay.station, stay.site, stay.arrived_at)
    blind = forecaster.stay_curve(*place)
    told = forecaster.stay_curve(*place, stay.claimed_departs_at)
    for after_s in AFTER_S:
        if stay.stay_s <= after_s:
            break
        label = f"stay +{after_s / 3600:.0f}h"
        truth = stay.stay_s / 60
        yield f"{label} all alike", baseline.quantiles(baseline.stays, after_s) / 60, truth
        hour = baseline.by_hour.get(stay.arrived_at.hour, baseline.stays)
        yield f"{label} by hour", baseline.quantiles(hour, after_s) / 60, truth
        yield f"{label} forecast", _quantiles(lambda q, s=after_s: blind.quantile(q, s)) / 60, truth
        if stay.claimed_departs_at is not None:
            claim = max((stay.claimed_departs_at - stay.arrived_at).total_seconds(), after_s)
            yield f"{label} claimed: driver", np.full(len(QUANTILES), claim / 60), truth
            yield f"{label} claimed: forecast, blind", _quantiles(lambda q, s=after_s: blind.quantile(q, s)) / 60, truth
            yield f"{label} claimed: forecast", _quantiles(lambda q, s=after_s: told.quantile(q, s)) / 60, truth
    energy = stay.energy_kwh or 0.0
    yield "energy all alike", baseline.quantiles(baseline.energies, 0.0), energy
    yield "energy forecast", _quantiles(forecaster.energy_curve(*place).quantile), energy
    if stay.claimed_kwh:
        yield "energy claimed: driver", np.full(len(QUANTILES), stay.claimed_kwh), energy
        yield "energy claimed: all alike", baseline.quantiles(baseline.energies, 0.0), energy
        yield "energy claimed: forecast", _quantiles(forecaster.energy_curve(*place, stay.claimed_kwh).quantile), energy


def _quantiles(quantile: Callable[[float], float]) -> np.ndarray:
    return np.array([quantile(share) for share in QUANTILES])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--from", dest="start", default="2019-07-01", help="learned from only, before this day")
    parser.add_argument("--time-zone", default="America/Los_Angeles")
    asked = parser.parse_args()
    stays = stays_of(asked.files)
    begun_s = time.process_time()
    start = datetime.fromisoformat(asked.start).replace(tzinfo=UTC)
    scores = walk(stays, ForecastSettings(time_zone=asked.time_zone), start)
    sys.stdout.write(f"{'forecast':40} {'n':>5} {'pinball':>8}  coverage of 0.1  0.3  0.5  0.7  0.9" + "\n")
    for name in sorted(scores):
        score = scores[name]
        covered = "  ".join(f"{score.coverage(share):.2f}" for share in (0.1, 0.3, 0.5, 0.7, 0.9))
        sys.stdout.write(f"{name:40} {len(score.truths):5} {score.pinball():8.2f}        {covered}" + "\n")
    sys.stdout.write(f"{len(stays)} sessions, {time.process_time() - begun_s:.1f} s of CPU" + "\n")


if __name__ == "__main__":
    main()
