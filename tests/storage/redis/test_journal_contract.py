"""What every journal promises, in memory and in Redis."""

import asyncio
from datetime import UTC, datetime

import pytest

from engine.model.authorization import Token, TokenRecord
from engine.model.facts import JournalEntry, StationFacts
from engine.model.ids import Unit
from engine.model.provisioning import Registration, StationSeen
from engine.model.stations import StationRecord
from engine.ports import Fenced, JournalUnavailable, UnitCommit
from storage import keys
from storage.journal import TRANSACTION_NUMBER_MAX

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
S1, S2 = Unit(shard=1), Unit(shard=2)


def facts(station: str, second: int = 0) -> StationFacts:
    return StationFacts(station=station, facts=(StationSeen(at=NOW.replace(second=second)),))


def commit(unit: Unit = S1, epoch: int = 1, *records: StationFacts, **states: bytes) -> UnitCommit:
    return UnitCommit(unit=unit, epoch=epoch, records=records or (facts("CP"),), states=states or {"CP": b"state"})


async def entries(world, stream: str = "s1") -> list[JournalEntry]:
    return [entry.entry for entry in await world.reader().read({stream: keys.START}, 10_000)]


async def states(journal, *stations: str, unit: Unit = S1) -> dict[str, bytes]:
    return dict((await journal.fetch([(unit, station) for station in stations], [], [])).states)


async def test_what_is_committed_can_be_fetched_and_read_back_whole(world):
    journal = world.journal()
    await journal.claim(S1, 1)

    verdicts = await journal.commit([commit(S1, 1, facts("A", 1), facts("B", 2), A=b"a", B=b"\x00\xff")], NOW)

    assert verdicts == [None]
    assert await states(journal, "A", "B", "C") == {"A": b"a", "B": b"\x00\xff"}
    expected = JournalEntry(tenant="default", recorded_at=NOW, records=(facts("A", 1), facts("B", 2)))
    assert await entries(world) == [expected]


async def test_a_later_state_replaces_the_earlier_and_facts_add_up_in_order(world):
    journal = world.journal()
    await journal.claim(S1, 1)
    for second in range(3):
        await journal.commit([commit(S1, 1, facts("CP", second), CP=b"%d" % second)], NOW)

    assert await states(journal, "CP") == {"CP": b"2"}
    assert [entry.records[0] for entry in await entries(world)] == [facts("CP", second) for second in range(3)]


async def test_facts_without_states_and_states_without_facts_are_recorded(world):
    journal = world.journal()
    await journal.claim(S1, 1)
    only_facts = UnitCommit(unit=S1, epoch=1, records=(facts("CP"),), states={})
    only_state = UnitCommit(unit=S1, epoch=1, records=(), states={"CP": b"x"})

    assert await journal.commit([only_facts], NOW) == [None]
    assert await journal.commit([only_state], NOW) == [None]
    assert await states(journal, "CP") == {"CP": b"x"}


async def test_nothing_to_commit_is_no_error(world):
    assert list(await world.journal().commit([], NOW)) == []


async def test_nothing_to_fetch_brings_nothing(world):
    fetched = await world.journal().fetch([], [], [])

    assert (fetched.states, fetched.tokens, fetched.stations) == ({}, {}, {})


async def test_nobody_belongs_to_a_site_where_there_is_none(world):
    assert await world.journal().planned(["CP-1"]) == frozenset()
    assert await world.journal().planned([]) == frozenset()


async def test_a_unit_twice_in_one_commit_is_a_mistake_of_the_caller(world):
    journal = world.journal()
    await journal.claim(S1, 1)

    with pytest.raises(ValueError, match="twice"):
        await journal.commit([commit(), commit()], NOW)
    assert await entries(world) == []


async def test_nobody_commits_to_a_unit_that_was_never_claimed(world):
    (verdict,) = await world.journal().commit([commit(S1, 1)], NOW)

    assert isinstance(verdict, Fenced)
    assert "claim it" in str(verdict)
    assert await entries(world) == []


async def test_a_higher_claim_fences_the_former_owner_and_its_state_stays(world):
    old, new = world.journal(), world.journal()
    await old.claim(S1, 1)
    await old.commit([commit(S1, 1, CP=b"old")], NOW)
    await new.claim(S1, 2)

    (refused,) = await old.commit([commit(S1, 1, CP=b"zombie")], NOW)

    assert isinstance(refused, Fenced)
    assert "another owner" in str(refused)
    assert await states(new, "CP") == {"CP": b"old"}
    assert await new.commit([commit(S1, 2, CP=b"new")], NOW) == [None]
    assert await states(old, "CP") == {"CP": b"new"}
    assert len(await entries(world)) == 2


async def test_a_lower_claim_is_fenced_and_leaves_the_owner_alone(world):
    owner, late = world.journal(), world.journal()
    await owner.claim(S1, 5)

    with pytest.raises(Fenced, match="epoch 5"):
        await late.claim(S1, 4)
    assert await owner.commit([commit(S1, 5)], NOW) == [None]


async def test_epochs_compare_as_numbers(world):
    owner, late = world.journal(), world.journal()
    await owner.claim(S1, 10)

    with pytest.raises(Fenced):
        await late.claim(S1, 9)


async def test_a_commit_with_an_epoch_beyond_the_claim_is_fenced(world):
    journal = world.journal()
    await journal.claim(S1, 1)

    (verdict,) = await journal.commit([commit(S1, 2)], NOW)

    assert isinstance(verdict, Fenced)
    assert await entries(world) == []


async def test_claiming_the_same_epoch_again_keeps_the_unit(world):
    journal = world.journal()
    await journal.claim(S1, 3)
    await journal.claim(S1, 3)

    assert await journal.commit([commit(S1, 3)], NOW) == [None]


async def test_an_owner_that_was_fenced_can_claim_a_higher_epoch(world):
    first, second = world.journal(), world.journal()
    await first.claim(S1, 1)
    await second.claim(S1, 2)
    await first.commit([commit(S1, 1)], NOW)
    await first.claim(S1, 3)

    assert await first.commit([commit(S1, 3)], NOW) == [None]


async def test_a_negative_epoch_is_a_mistake(world):
    with pytest.raises(ValueError, match="epoch"):
        await world.journal().claim(S1, -1)


async def test_each_unit_of_a_commit_gets_its_own_verdict_in_order(world):
    mine, other = world.journal(), world.journal()
    for shard in range(4):
        await mine.claim(Unit(shard=shard), 1)
    await other.claim(Unit(shard=2), 2)

    verdicts = await mine.commit([commit(Unit(shard=shard), 1) for shard in (0, 2, 3, 9)], NOW)

    assert [type(verdict) for verdict in verdicts] == [type(None), Fenced, type(None), Fenced]
    assert [len(await entries(world, f"s{shard}")) for shard in (0, 2, 3, 9)] == [1, 0, 1, 0]


async def test_in_literal_mode_stations_of_one_shard_are_fenced_apart_and_share_its_stream(world):
    first, second = world.journal(), world.journal()
    a, b = Unit(shard=1, station="A"), Unit(shard=1, station="B")
    await first.claim(a, 1)
    await first.claim(b, 1)
    await second.claim(b, 2)

    verdicts = await first.commit([commit(a, 1, facts("A"), A=b"a"), commit(b, 1, facts("B"), B=b"b")], NOW)

    assert [type(verdict) for verdict in verdicts] == [type(None), Fenced]
    assert await states(first, "A", "B", unit=a) == {"A": b"a"}
    assert await second.commit([commit(b, 2, facts("B"), B=b"b")], NOW) == [None]
    assert [entry.records[0].station for entry in await entries(world)] == ["A", "B"]


async def test_identities_with_odd_characters_keep_apart(world):
    journal = world.journal()
    await journal.claim(S1, 1)
    odd = {"a b": b"1", "ü{s2}": b"2", "}": b"3", "A B": b"4"}

    assert await journal.commit([commit(S1, 1, **odd)], NOW) == [None]
    assert await states(journal, *odd) == odd


async def test_a_full_stream_refuses_its_shard_only_and_writes_nothing(world):
    journal = world.journal(stream_entries_max=2)
    await journal.claim(S1, 1)
    await journal.claim(S2, 1)
    for second in range(2):
        assert await journal.commit([commit(S1, 1, CP=b"%d" % second)], NOW) == [None]

    full, other = await journal.commit([commit(S1, 1, CP=b"too much"), commit(S2, 1)], NOW)

    assert isinstance(full, JournalUnavailable)
    assert "stream s1 is full" in str(full)
    assert "PostgreSQL" in str(full)
    assert other is None
    assert await states(journal, "CP") == {"CP": b"1"}


async def test_a_trimmed_stream_takes_entries_again(world):
    journal, reader = world.journal(stream_entries_max=2), world.reader()
    await journal.claim(S1, 1)
    for _ in range(2):
        await journal.commit([commit()], NOW)
    first = (await reader.read({"s1": keys.START}, 10))[0]

    assert await reader.trim({"s1": first.id}) == 1
    assert await journal.commit([commit()], NOW) == [None]
    assert isinstance((await journal.commit([commit()], NOW))[0], JournalUnavailable)


async def test_after_a_wipe_the_owner_is_fenced_until_it_claims_again(world):
    journal = world.journal()
    await journal.claim(S1, 4)
    await journal.commit([commit(S1, 4)], NOW)
    await world.wipe()

    (verdict,) = await journal.commit([commit(S1, 4)], NOW)
    assert isinstance(verdict, Fenced)

    await journal.claim(S1, 4)
    assert await journal.commit([commit(S1, 4)], NOW) == [None]


async def test_states_tokens_and_stations_come_together(world):
    journal, book = world.journal(), world.book()
    await journal.claim(S1, 1)
    await journal.claim(S2, 1)
    await journal.commit([commit(S1, 1, A=b"a"), commit(S2, 1, B=b"b")], NOW)
    token = TokenRecord(token=Token(value="DeadBeef"), group="fleet")
    station = StationRecord(station="A", registration=Registration.ACCEPTED, note="north gate")
    await book.save_tokens([token], NOW)
    await book.save_station(station, NOW)

    wanted = [(S2, "B"), (S1, "A"), (S1, "missing")]
    fetched = await journal.fetch(wanted, ["unknown", "deadbeef"], ["A", "missing"])

    assert fetched.states == {"A": b"a", "B": b"b"}
    assert fetched.tokens == {"deadbeef": token}
    assert fetched.stations == {"A": station}


async def test_a_thousand_stations_over_all_shards_commit_and_come_back(world):
    journal = world.journal()
    units = [Unit(shard=shard) for shard in range(64)]
    for unit in units:
        await journal.claim(unit, 1)
    wanted = {(unit, f"CP-{unit.shard}-{n}"): bytes([n]) * 700 for unit in units for n in range(16)}
    commits = [
        UnitCommit(
            unit=unit,
            epoch=1,
            records=tuple(facts(station) for of, station in wanted if of == unit),
            states={station: state for (of, station), state in wanted.items() if of == unit},
        )
        for unit in units
    ]

    assert set(await journal.commit(commits, NOW)) == {None}
    fetched = await journal.fetch(list(wanted), [], [])
    assert fetched.states == {station: state for (_, station), state in wanted.items()}


async def test_transaction_numbers_begin_at_one_and_are_never_given_twice(world):
    first, second = world.journal(), world.journal()

    blocks = [
        await journal.reserve_transaction_numbers(count) for journal, count in ((first, 3), (second, 1), (first, 5))
    ]

    assert blocks == [range(1, 4), range(4, 5), range(5, 10)]


async def test_concurrent_reservations_do_not_overlap(world):
    journals = [world.journal() for _ in range(4)]

    blocks = await asyncio.gather(*(journals[n % 4].reserve_transaction_numbers(7) for n in range(40)))

    given = [number for block in blocks for number in block]
    assert sorted(given) == list(range(1, 281))


async def test_the_last_transaction_numbers_can_be_given_but_nothing_beyond(world):
    journal = world.journal()
    await journal.raise_transaction_numbers(TRANSACTION_NUMBER_MAX - 3)

    with pytest.raises(JournalUnavailable, match="used up"):
        await journal.reserve_transaction_numbers(4)
    assert await journal.reserve_transaction_numbers(3) == range(TRANSACTION_NUMBER_MAX - 2, TRANSACTION_NUMBER_MAX + 1)
    with pytest.raises(JournalUnavailable, match="used up"):
        await journal.reserve_transaction_numbers(1)


async def test_raising_transaction_numbers_never_lowers_them(world):
    journal = world.journal()
    await journal.reserve_transaction_numbers(100)
    await journal.raise_transaction_numbers(50)

    assert await journal.reserve_transaction_numbers(1) == range(101, 102)


@pytest.mark.parametrize("count", [0, -5])
async def test_no_numbers_cannot_be_reserved(world, count):
    with pytest.raises(ValueError, match="at least one"):
        await world.journal().reserve_transaction_numbers(count)


async def test_owners_that_race_for_a_unit_leave_a_history_of_growing_epochs(world):
    """Eight owners claim and write as they like: no entry of a lower epoch follows one of a higher."""

    async def own(epoch: int) -> int:
        journal, recorded = world.journal(connections_max=1), 0
        try:
            await journal.claim(S1, epoch)
        except Fenced:
            return 0
        for _ in range(20):
            (verdict,) = await journal.commit([commit(S1, epoch, facts(f"E{epoch}"), CP=b"%d" % epoch)], NOW)
            if isinstance(verdict, Fenced):
                break
            assert verdict is None
            recorded += 1
            await asyncio.sleep(0)
        return recorded

    recorded = await asyncio.gather(*(own(epoch) for epoch in (3, 1, 7, 2, 8, 5, 6, 4)))

    epochs = [int(entry.records[0].station[1:]) for entry in await entries(world)]
    assert epochs == sorted(epochs)
    assert len(epochs) == sum(recorded)
    assert await states(world.journal(), "CP") == {"CP": b"8"}


async def test_every_epoch_is_higher_than_all_given_before(world):
    first, second = world.journal(), world.journal()

    given = [await journal.next_epoch() for journal in (first, second, first)]

    assert given == sorted(set(given))
    assert given[0] > 0
