"""What is worth learning from."""

from datetime import datetime, timedelta
from math import inf, nan
from typing import NamedTuple

import pytest

from smartcharging.forecast.stays import is_sound, sound_claim_s, sound_kwh, stays_of
from tests.smartcharging.forecast.past import at, stay


@pytest.mark.parametrize(
    ("hours", "sound"), [(0, False), (0.01, False), (1, True), (160, True), (24 * 90, False), (-3, False)]
)
def test_plugs_that_were_tried_and_cars_that_were_left_teach_nothing(hours, sound):
    assert is_sound(stay(hours=hours)) is sound


@pytest.mark.parametrize(
    ("energy_kwh", "sound"),
    [(0.0, 0.0), (12.5, 12.5), (-1.0, None), (nan, None), (inf, None), (1e6, None), (None, None)],
)
def test_an_energy_that_cannot_be_is_none(energy_kwh, sound):
    assert sound_kwh(energy_kwh) == sound


@pytest.mark.parametrize(("hours", "seconds"), [(12, 4 * 3600), (8, None), (7, None), (8 + 24 * 30, None)])
def test_a_word_that_cannot_be_meant_is_none(hours, seconds):
    assert sound_claim_s(at(hours), at(8)) == seconds
    assert sound_claim_s(None, at(8)) is None


class Row(NamedTuple):
    station: str
    arrived_at: datetime
    departed_at: datetime
    energy_wh: float | None
    token_key: str | None
    claimed_departs_at: datetime | None
    claimed_kwh: float | None
    still_taking: bool = False


def test_rows_of_the_store_are_stays():
    rows = [Row("CP-1", at(8), at(16), 9500.0, "tag", at(15), 20.0), Row("CP-2", at(8), at(9), None, None, None, None)]
    first, second = stays_of(rows, "depot")
    assert (first.site, first.station, first.energy_kwh, first.stay_s) == ("depot", "CP-1", 9.5, 8 * 3600)
    assert (first.token_key, first.claimed_departs_at - at(0), first.claimed_kwh) == ("tag", timedelta(hours=15), 20.0)
    assert second.energy_kwh is None
