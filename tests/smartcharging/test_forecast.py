"""The forecast out of sample: on drivers with habits it must beat taking all alike, and its quantiles must be true."""

from datetime import timedelta

import numpy as np

from smartcharging.forecast import Forecaster, Stay
from tests.smartcharging.forecast.past import at

SHARES = np.array([0.1, 0.3, 0.5, 0.7, 0.9])


def lives(seed=1, days=100, drivers=12):
    """Drivers with an hour, a length and a bias of their estimates, each with its noise; by departure."""
    chance = np.random.default_rng(seed)
    hour, length = chance.uniform(6, 18, drivers), chance.uniform(1.5, 9, drivers)
    bias, energy = chance.uniform(0.6, 1.2, drivers), chance.uniform(4, 30, drivers)
    found = []
    for day in range(-days, 0):
        for driver in range(drivers):
            arrived = at(hour[driver] + chance.normal(0, 0.3), day)
            stays = max(length[driver] * chance.lognormal(0, 0.15), 0.2)
            claimed = stays * bias[driver] * chance.lognormal(0, 0.2)
            found.append(
                Stay(
                    station=f"CP-{chance.integers(6)}",
                    token_key=f"driver{driver}",
                    arrived_at=arrived,
                    departed_at=arrived + timedelta(hours=stays),
                    energy_kwh=energy[driver] * chance.lognormal(0, 0.2),
                    claimed_departs_at=arrived + timedelta(hours=claimed),
                )
            )
    return sorted(found, key=lambda each: each.departed_at)


def pinball(forecasts, truths):
    missed = np.array(truths)[:, None] - np.array(forecasts)
    return float(np.maximum(SHARES * missed, (SHARES - 1) * missed).mean())


def test_habits_are_learned_and_quantiles_are_true():
    history = lives()
    known, asked = history[:-300], history[-300:]
    forecaster = Forecaster(known)
    alike = np.quantile([each.stay_s for each in known], SHARES)
    truths, blind, told, strangers = [], [], [], []
    for each in asked:
        place = (each.token_key, each.station, "", each.arrived_at)
        truths.append(each.stay_s)
        blind.append([forecaster.stay_curve(*place).quantile(share) for share in SHARES])
        curve = forecaster.stay_curve(*place, each.claimed_departs_at)
        told.append([curve.quantile(share) for share in SHARES])
        stranger = forecaster.stay_curve(None, *place[1:])
        strangers.append([stranger.quantile(share) for share in SHARES])
    losses = {
        "told": pinball(told, truths),
        "blind": pinball(blind, truths),
        "stranger": pinball(strangers, truths),
        "alike": pinball([alike] * len(truths), truths),
    }
    assert losses["told"] < losses["blind"] < 0.5 * losses["alike"]
    assert losses["stranger"] < losses["alike"]
    covered = (np.array(truths)[:, None] <= np.array(blind)).mean(axis=0)
    assert np.abs(covered - SHARES).max() < 0.12
