"""The hand-written samples: there is one of every action, and the official schemas accept it."""

import pytest

from engine.ocpp.catalogue import actions
from engine.ocpp.schemas import schema
from engine.ocpp.versions import Version
from tests.conformance.samples.every import FROM_CSMS, FROM_STATION


def faults(version, action, kind, payload):
    return [fault.text for fault in schema(version, action, kind).faults(payload)]


@pytest.mark.parametrize("version", Version)
def test_there_is_a_sample_of_every_action_in_each_of_its_directions(version):
    rows = actions(version).values()
    assert sorted(FROM_STATION[version]) == [row.name for row in rows if row.from_station is not None]
    assert sorted(FROM_CSMS[version]) == [row.name for row in rows if row.from_csms is not None]


@pytest.mark.parametrize("version", Version)
def test_the_schemas_accept_the_samples(version):
    for action, payload in FROM_STATION[version].items():
        assert (action, faults(version, action, "request", payload)) == (action, [])
    for action, (request, response) in FROM_CSMS[version].items():
        assert (action, faults(version, action, "request", request)) == (action, [])
        assert (action, faults(version, action, "response", response)) == (action, [])
