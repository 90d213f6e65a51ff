"""Quirks in PostgreSQL: what an operator chose comes back into a Redis that has lost it."""

import pytest

from engine.model.quirks import Make, OdditiesCounted
from engine.model.stations import StationRecord, StationRegistered
from storage.blocks.quirks import QUIRK_OBSERVATIONS, STATION_QUIRKS
from storage.projection import Projector
from storage.queries import Queries
from storage.queries.paging import Page
from storage.restore import operator_records
from tests.storage.postgres.conftest import TENANT
from tests.storage.postgres.stories import NOW, at, entry, operator_entry

pytestmark = pytest.mark.integration
ALL = Page(limit=1000)


async def test_what_an_operator_chose_is_restored(pool):
    projector = Projector(pool, TENANT)
    chosen = StationRecord("CP-1", quirks=("meter-jitter", 'time_formats=["%d %H"]'))
    await projector.apply(
        [
            operator_entry("1-0", StationRegistered(StationRecord("CP-1"), at(0)), StationRegistered(chosen, at(1))),
            operator_entry("2-0", StationRegistered(StationRecord("CP-2"), at(2))),
        ]
    )
    assert (await operator_records(pool, TENANT)).stations == [chosen, StationRecord("CP-2")]


async def test_counts_of_another_make_replace_those_before(pool):
    projector, queries = Projector(pool, TENANT), Queries(pool, TENANT)
    one, two = Make("Acme", "One", "1"), Make("Acme", "One", "2")
    await projector.apply([entry("1-0", OdditiesCounted({"repaired": 5, "refused": 2}, NOW, one, {"repaired": "x"}))])
    await projector.apply(
        [
            entry("2-0", OdditiesCounted({"repaired": 1}, NOW, two, of_new_make=True)),
            entry("3-0", OdditiesCounted({"repaired": 2, "refused": 1}, NOW, two)),
        ]
    )
    rows = (await queries.block(QUIRK_OBSERVATIONS, {"vendor": "Acme"}, ALL)).rows
    assert [(row.oddity, row.count, row.firmware, row.example) for row in rows] == [
        ("refused", 1, "2", None),
        ("repaired", 2, "2", None),
    ]


async def test_what_was_taken_away_is_gone(pool):
    projector, queries = Projector(pool, TENANT), Queries(pool, TENANT)
    await projector.apply([operator_entry("1-0", StationRegistered(StationRecord("CP-1", quirks=("lenient",)), at(0)))])
    await projector.apply([operator_entry("2-0", StationRegistered(StationRecord("CP-1"), at(1)))])
    assert (await queries.block(STATION_QUIRKS, {}, ALL)).rows == ()
