"""Payloads drawn from a seed: every official schema accepts them."""

from random import Random

import pytest

from engine.ocpp.schemas import schemas_of
from engine.ocpp.versions import Version
from loadtests.fuzz import official
from loadtests.fuzz.payloads import Chances, payload
from loadtests.fuzz.walk import made

DRAWS = 60


@pytest.mark.parametrize("kind", ["request", "response"])
@pytest.mark.parametrize("version", Version)
def test_every_schema_accepts_what_is_drawn_for_it(version, kind):
    chance = Random(f"{version} {kind}")
    for action, schema in schemas_of(version, kind).items():
        for _ in range(DRAWS):
            drawn = payload(version, kind, action, chance)
            assert [fault.text for fault in schema.faults(drawn)] == [], (action, drawn)


@pytest.mark.parametrize("kind", ["request", "response"])
@pytest.mark.parametrize("version", Version)
def test_every_action_has_its_payloads(version, kind):
    assert sorted(official.documents(version, kind)) == sorted(schemas_of(version, kind))


def test_the_same_seed_draws_the_same():
    drawn = [[payload("2.1", "request", "TransactionEvent", Random(7)) for _ in range(20)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != payload("2.1", "request", "TransactionEvent", Random(8))


def test_all_that_a_schema_allows_is_drawn_sooner_or_later():
    chance = Random(1)
    drawn = [payload("2.0.1", "request", "TransactionEvent", chance) for _ in range(500)]
    assert {each["eventType"] for each in drawn} == {"Started", "Updated", "Ended"}
    fields = official.documents("2.0.1", "request")["TransactionEvent"]["properties"]
    assert {name for each in drawn for name in each} == set(fields)


def test_a_construct_that_no_schema_has_today_is_told():
    with pytest.raises(ValueError, match="pattern"):
        made({"type": "string", "pattern": "a*"}, Chances())
    with pytest.raises(ValueError, match="null"):
        made({"type": "null"}, Chances())
