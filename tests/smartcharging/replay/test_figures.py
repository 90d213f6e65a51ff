"""Figures: shares, and times."""

import numpy as np
import pytest

from smartcharging.replay.figures import Figures, served


def figures(**more):
    plain = {"allocator": "x", "cap_kw": 20.0, "departures": "true", "sessions": 4, "requested_kwh": 50.0}
    return Figures(**(plain | {"delivered_kwh": 40.0, "served": 3, "changes": 6, "ev_hours": 12.0} | more))


def test_shares_are_of_what_was_requested_and_of_what_could_be():
    best = figures(delivered_kwh=45.0, served=4)
    compared = figures().beside(best)
    assert (compared.energy_percent, compared.served_percent) == (80, 75)
    assert compared.energy_of_optimum_percent == pytest.approx(100 * 40 / 45)
    assert compared.served_of_optimum_percent == 75
    assert compared.changes_per_ev_hour == 0.5


def test_without_an_optimum_there_is_no_share_of_it():
    assert (figures().energy_of_optimum_percent, figures().served_of_optimum_percent) == (None, None)


def test_where_no_car_charged_there_are_no_changes_per_hour():
    assert figures(ev_hours=0.0).changes_per_ev_hour == 0


def test_served_is_who_lacks_at_most_a_tenth_of_a_kwh():
    assert served(np.array([9.9, 9.89, 10.0]), np.full(3, 10.0)) == 2


def test_times_are_told_in_ms():
    timed = figures().timed([0.001] * 99 + [0.101])
    assert (timed.solve_ms_p50, timed.solve_ms_max) == (pytest.approx(1), pytest.approx(101))
    assert figures().timed([]) == figures()
