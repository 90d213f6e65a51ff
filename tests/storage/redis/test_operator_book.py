"""What every operator's book promises, in memory and in Redis."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from engine.model.authorization import Token, TokenRecord, TokenRemoved, TokenSaved
from engine.model.campaigns import CampaignChanged, CampaignStarted, CampaignState
from engine.model.facts import OperatorEntry
from engine.model.provisioning import Registration, ResetKind, ResetStation
from engine.model.stations import StationRecord, StationRegistered
from engine.ports import JournalUnavailable
from storage import keys

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)


def record(value: str, **changes: object) -> TokenRecord:
    return TokenRecord(token=Token(value=value), **changes)


async def entries(world) -> list[OperatorEntry]:
    return [entry.entry for entry in await world.reader().read({keys.OPERATOR: keys.START}, 10_000)]


async def test_a_saved_token_is_found_by_its_key_and_is_a_fact(world):
    book = world.book()
    saved = record("ABC", group="fleet", expires_at=NOW)

    await book.save_tokens([saved], NOW)

    assert await book.token("abc") == saved
    fact = TokenSaved(record=saved, at=NOW)
    assert await entries(world) == [OperatorEntry(tenant="default", recorded_at=NOW, facts=(fact,))]


async def test_saving_again_replaces(world):
    book = world.book()
    await book.save_tokens([record("ABC")], NOW)
    await book.save_tokens([record("abc", blocked=True)], NOW)

    assert await book.token("abc") == record("abc", blocked=True)
    assert len(await entries(world)) == 2


async def test_of_the_same_token_twice_in_one_import_the_last_counts(world):
    book = world.book()
    await book.save_tokens([record("ABC"), record("abc", note="last")], NOW)

    assert await book.token("abc") == record("abc", note="last")
    (entry,) = await entries(world)
    assert [fact.record.note for fact in entry.facts] == [None, "last"]


async def test_an_unknown_token_is_none(world):
    assert await world.book().token("nobody") is None


async def test_a_removed_token_is_gone_and_that_is_a_fact(world):
    book = world.book()
    await book.save_tokens([record("ABC")], NOW)

    assert await book.remove_token(Token(value="aBc"), NOW) is True
    assert await book.token("abc") is None
    assert (await entries(world))[-1].facts == (TokenRemoved(token=Token(value="aBc"), at=NOW),)


async def test_removing_what_is_not_there_is_false_and_no_fact(world):
    assert await world.book().remove_token(Token(value="ABC"), NOW) is False
    assert await entries(world) == []


async def test_a_station_is_saved_found_and_a_fact(world):
    book = world.book()
    saved = StationRecord(station="CP-1", registration=Registration.REJECTED, password_hash="$argon2id$...")

    await book.save_station(saved, NOW)

    assert await book.station("CP-1") == saved
    assert await book.station("cp-1") is None
    assert (await entries(world))[0].facts == (StationRegistered(record=saved, at=NOW),)


async def test_a_station_is_changed_in_one_step_and_that_is_a_fact(world):
    book = world.book()
    await book.save_station(StationRecord(station="CP-1", note="gate"), NOW)

    changed = await book.change_station("CP-1", lambda known: known.with_password_next("$sha256$..."), NOW)

    assert changed == StationRecord(station="CP-1", note="gate", password_hash_next="$sha256$...")
    assert await book.station("CP-1") == changed
    assert [entry.facts[0].record for entry in await entries(world)][1:] == [changed]


async def test_a_change_that_changes_nothing_is_no_fact(world):
    book = world.book()
    await book.save_station(StationRecord(station="CP-1"), NOW)

    assert await book.change_station("CP-1", lambda known: known.with_password_taken(), NOW) == StationRecord("CP-1")
    assert len(await entries(world)) == 1


async def test_a_station_that_is_not_registered_cannot_be_changed(world):
    assert await world.book().change_station("CP-1", lambda known: known, NOW) is None
    assert await entries(world) == []


async def test_changes_at_the_same_time_are_all_made(world):
    book = world.book()
    await book.save_station(StationRecord(station="CP-1", note=""), NOW)

    def longer(known):
        return msgspec.structs.replace(known, note=known.note + "x")

    await asyncio.gather(*(book.change_station("CP-1", longer, NOW) for _ in range(5)))

    assert (await book.station("CP-1")).note == "xxxxx"


async def test_a_station_is_found_whatever_the_case_of_its_identity(world):
    book = world.book()
    saved = StationRecord(station="Süd-CP")
    await book.save_station(saved, NOW)

    assert await book.station_like("SÜD-cp") == saved
    assert await book.station_like("Süd-CP") is None
    assert await book.station_like("other") is None


async def test_many_stations_are_looked_up_together(world):
    book = world.book()
    saved = [StationRecord(station=name) for name in ("CP-1", "CP-2", "Süd")]
    for record_ in saved:
        await book.save_station(record_, NOW)

    found = await book.look_up(["CP-1", "cp-2", "SÜD", "CP-9"])

    assert found == {"CP-1": saved[0], "cp-2": saved[1], "SÜD": saved[2]}
    assert await book.look_up(["nobody"]) == {}


async def test_an_import_goes_in_chunks_and_keeps_its_order(world):
    book = world.book(token_chunk=40)
    await book.save_tokens([record(f"T{n}") for n in range(100)], NOW)

    found = await entries(world)
    assert [len(entry.facts) for entry in found] == [40, 40, 20]
    assert [fact.record.token.value for entry in found for fact in entry.facts] == [f"T{n}" for n in range(100)]
    assert await book.token("t99") == record("T99")


async def test_saving_no_tokens_is_nothing(world):
    await world.book().save_tokens([], NOW)

    assert await entries(world) == []


async def test_a_full_stream_refuses_changes_and_keeps_the_records_as_they_were(world):
    book = world.book(operator_stream_entries_max=1)
    await book.save_tokens([record("ABC")], NOW)

    for refused in (
        book.save_tokens([record("ABC", blocked=True)], NOW),
        book.save_station(StationRecord(station="CP"), NOW),
        book.remove_token(Token(value="ABC"), NOW),
    ):
        with pytest.raises(JournalUnavailable, match="stream operator is full"):
            await refused
    assert await book.token("abc") == record("ABC")
    assert await book.station("CP") is None


@pytest.mark.integration
async def test_an_import_that_stops_half_way_says_how_far_it_came_and_can_be_repeated(redis_world):
    tokens = [record(f"T{n}") for n in range(30)]
    with pytest.raises(JournalUnavailable, match="20 of 30 tokens are saved"):
        await redis_world.book(token_chunk=10, operator_stream_entries_max=2).save_tokens(tokens, NOW)

    await redis_world.book().save_tokens(tokens, NOW)
    assert await redis_world.book().token("t29") == record("T29")


@pytest.mark.integration
async def test_a_hundred_thousand_tokens_can_be_imported(redis_world):
    await redis_world.book(token_chunk=1000).save_tokens([record(f"T{n}") for n in range(100_000)], NOW)

    assert await redis_world.book().token("t99999") == record("T99999")
    assert await redis_world.reader().lengths([keys.OPERATOR]) == {keys.OPERATOR: 100}


async def test_a_campaign_is_kept_until_it_is_over(world):
    book = world.book()
    campaign = CampaignStarted("c", ResetStation(ResetKind.ON_IDLE), ("CP-1", "CP-2"), 5.0, 30.0, NOW)
    assert await book.campaign("c") is None
    await book.start_campaign(campaign, NOW)
    paused = CampaignChanged("c", CampaignState.PAUSED, NOW)
    await book.change_campaign(paused, NOW)
    assert await book.campaign("c") == campaign
    done = CampaignChanged("c", CampaignState.DONE, NOW)
    await book.change_campaign(done, NOW)
    assert await book.campaign("c") is None
    assert [fact for entry in await entries(world) for fact in entry.facts] == [campaign, paused, done]
