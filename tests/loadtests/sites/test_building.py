"""Buildings beside the cars."""

import itertools
import random

import pytest

from loadtests.sites.building import building_of, main_meter_values
from tests.loadtests.scripted import check


@pytest.mark.parametrize("seed", range(10))
def test_a_building_stays_below_its_most_and_rises_as_slowly_as_said(seed):
    building = building_of(8.0, random.Random(seed), kw_per_s_max=0.05)
    values = [sum(building.kw(float(second))) for second in range(5_000)]
    assert 0 < min(values) < max(values) <= 8.0
    assert max(later - sooner for sooner, later in itertools.pairwise(values)) <= 0.05 + 1e-9
    assert max(values) - min(values) > 3.0


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_the_main_meter_speaks_by_the_schema(version):
    payload = main_meter_values(version, (2.3, 1.15, -0.23), "2026-11-21T12:00:00.000Z")
    check(version, "MeterValues", "Request", payload)
    assert payload.get("connectorId", payload.get("evseId")) == 0
    currents = {
        each["phase"]: float(each["value"])
        for each in payload["meterValue"][0]["sampledValue"]
        if each["measurand"] == "Current.Import"
    }
    assert currents == {"L1": 10.0, "L2": 5.0, "L3": -1.0}
