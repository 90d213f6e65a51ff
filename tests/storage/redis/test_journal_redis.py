"""The journal when Redis restarts, freezes, dies, refuses, or hides behind a bad line."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from engine.model.facts import StationFacts
from engine.model.ids import Unit
from engine.model.provisioning import StationSeen
from engine.ports import Fenced, JournalUnavailable, UnitCommit
from storage import keys
from storage.redis_client import redis_client
from storage.redis_link import RedisLink
from storage.redis_settings import RedisSettings

pytestmark = pytest.mark.integration

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
S1, S2 = Unit(shard=1), Unit(shard=2)


def commit(number: int = 0, unit: Unit = S1, epoch: int = 1, station: str = "CP") -> UnitCommit:
    seen = StationSeen(at=NOW + timedelta(seconds=number))
    records = (StationFacts(station=station, facts=(seen,)),)
    return UnitCommit(unit=unit, epoch=epoch, records=records, states={station: b"%d" % number})


async def state(journal, unit: Unit = S1, station: str = "CP") -> int | None:
    value = (await journal.fetch([(unit, station)], [], [])).states.get(station)
    return None if value is None else int(value)


async def recorded(world, shard: int = 1) -> list[int]:
    """The numbers of all commits in the stream, in order."""
    read = await world.reader().read({f"s{shard}": keys.START}, 100_000)
    return [(entry.entry.records[0].facts[0].at - NOW) // timedelta(seconds=1) for entry in read]


async def eventually(action):
    """Repeats what is unavailable until it is not; the test's time-out is the bound."""
    while True:
        try:
            return await action()
        except JournalUnavailable:
            await asyncio.sleep(0.02)


async def warm(journal):
    """Owns S1, and Redis knows the script: else a late commit would be void only because the script is unknown."""
    await journal.claim(S1, 1)
    assert await journal.commit([commit(0)], NOW) == [None]
    return journal


async def saving_failed(client) -> None:
    if (await client.info("persistence"))["rdb_last_bgsave_status"] != "err":
        raise JournalUnavailable("not yet")


def unavailable(verdict: object, word: str) -> bool:
    return isinstance(verdict, JournalUnavailable) and word in str(verdict)


async def test_a_restarted_redis_learns_the_scripts_again_and_keeps_everything(own_world, server):
    journal = own_world.journal()
    await journal.claim(S1, 1)
    await journal.claim(S2, 1)
    assert await journal.commit([commit(1)], NOW) == [None]
    server.stop()
    server.start()
    await own_world.client().ping()  # lets the loop see that the old connections ended

    assert await journal.commit([commit(2), commit(2, S2)], NOW) == [None, None]
    assert await recorded(own_world) == [1, 2]


async def test_flushed_scripts_do_not_disturb_a_commit(own_world):
    journal = own_world.journal()
    await journal.claim(S1, 1)
    await own_world.client().script_flush()

    assert await journal.commit([commit(1)], NOW) == [None]
    assert await recorded(own_world) == [1]


async def test_while_redis_is_down_everything_is_unavailable_and_says_so(own_world, server):
    journal, book, reader = own_world.journal(), own_world.book(), own_world.reader()
    await journal.claim(S1, 1)
    server.stop()

    (verdict,) = await journal.commit([commit()], NOW)

    assert unavailable(verdict, "is it running")
    assert f"127.0.0.1:{server.port}/0" in str(verdict)
    assert "only for tests" not in str(verdict)
    for attempt in (
        journal.fetch([(S1, "CP")], [], []),
        journal.claim(S1, 2),
        journal.reserve_transaction_numbers(1),
        book.token("x"),
        reader.read({"s1": keys.START}, 1),
        reader.lengths(["s1"]),
    ):
        with pytest.raises(JournalUnavailable, match="is it running"):
            await attempt


async def test_a_commit_whose_reply_is_lost_is_unavailable_and_not_made_twice(proxied_world, proxy):
    journal = proxied_world.journal()
    await journal.claim(S1, 1)
    assert await journal.commit([commit(1)], NOW) == [None]
    proxy.cut_replies()
    (verdict,) = await journal.commit([commit(2)], NOW)
    proxy.heal()

    assert isinstance(verdict, JournalUnavailable)
    assert await state(journal) == 2
    assert await recorded(proxied_world) == [1, 2]
    assert await journal.commit([commit(3)], NOW) == [None]
    assert await recorded(proxied_world) == [1, 2, 3]


async def test_a_commit_that_arrives_after_its_states_were_read_anew_is_void(proxied_world, proxy):
    """The lost command sits in a socket; the actor reads the old state, commits again; then the command arrives."""
    journal = await warm(proxied_world.journal(command_timeout_s=0.3))
    proxy.hold()
    (verdict,) = await journal.commit([commit(1)], NOW)
    assert isinstance(verdict, JournalUnavailable)
    late = proxy.let_others_pass()

    assert await state(journal) == 0
    late.set()
    await proxy.delivered()
    assert await state(journal) == 0
    assert await journal.commit([commit(2)], NOW) == [None]
    assert await recorded(proxied_world) == [0, 2]


async def test_a_commit_that_arrives_after_the_next_one_is_void(proxied_world, proxy):
    journal = await warm(proxied_world.journal(command_timeout_s=0.3))
    proxy.hold()
    await journal.commit([commit(1)], NOW)
    late = proxy.let_others_pass()

    assert await journal.commit([commit(2)], NOW) == [None]
    late.set()
    await proxy.delivered()
    assert await recorded(proxied_world) == [0, 2]
    assert await state(journal) == 2


async def test_a_late_commit_cannot_write_after_the_same_epoch_was_claimed_by_a_new_process(proxied_world, proxy):
    old = await warm(proxied_world.journal(command_timeout_s=0.3))
    proxy.hold()
    await old.commit([commit(1)], NOW)
    late = proxy.let_others_pass()
    new = proxied_world.journal()
    await new.claim(S1, 1)

    late.set()
    await proxy.delivered()
    assert await recorded(proxied_world) == [0]
    assert await new.commit([commit(2)], NOW) == [None]


async def test_two_processes_with_the_same_epoch_never_write_upon_each_others_reading(redis_world):
    """Should not be; but then each must read anew after the other wrote."""
    first, second = redis_world.journal(), redis_world.journal()
    await first.claim(S1, 1)
    await second.claim(S1, 1)

    (verdict,) = await first.commit([commit(1)], NOW)

    assert unavailable(verdict, "read them anew")
    assert await recorded(redis_world) == []
    assert await state(first) is None
    assert await first.commit([commit(1)], NOW) == [None]


async def test_a_new_process_may_commit_under_the_epoch_that_stands_without_claiming(redis_world):
    await redis_world.journal().claim(S1, 3)

    assert await redis_world.journal().commit([commit(1, epoch=3)], NOW) == [None]


async def test_an_owner_whose_commit_was_lost_is_fenced_if_the_unit_moved_meanwhile(proxied_world, proxy):
    old, new = proxied_world.journal(), proxied_world.journal()
    await old.claim(S1, 1)
    assert await old.commit([commit(1)], NOW) == [None]
    proxy.cut_replies()
    await old.commit([commit(2)], NOW)
    proxy.heal()
    await new.claim(S1, 2)

    assert await state(old) == 2
    (verdict,) = await old.commit([commit(3)], NOW)
    assert isinstance(verdict, Fenced)


async def test_a_frozen_redis_is_waited_for_no_longer_than_the_time_out(own_world, server):
    journal = own_world.journal(command_timeout_s=0.2)
    await journal.claim(S1, 1)
    server.freeze()
    (verdict,) = await journal.commit([commit(1)], NOW)
    with pytest.raises(JournalUnavailable, match=r"within 0\.2 s"):
        await journal.fetch([(S1, "CP")], [], [])
    server.thaw()

    assert unavailable(verdict, "within 0.2 s")
    number = await eventually(lambda: state(journal))
    assert await own_world.journal().commit([commit(2)], NOW) == [None]
    assert await recorded(own_world) == ([1, 2] if number == 1 else [2])


async def test_a_cancelled_commit_leaves_no_foreign_reply_in_the_pool(own_world, server):
    journal = own_world.journal(connections_max=1)
    await journal.claim(S1, 1)
    assert await journal.commit([commit(1)], NOW) == [None]
    server.freeze()
    task = asyncio.create_task(journal.commit([commit(2)], NOW))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.thaw()

    number = await state(journal)
    assert number in (1, 2)
    assert await journal.commit([commit(3)], NOW) == [None]
    assert await recorded(own_world) == [*range(1, number + 1), 3]


async def test_more_commits_than_connections_wait_for_their_turn(redis_world):
    journal = redis_world.journal(connections_max=2)
    units = [Unit(shard=shard) for shard in range(30)]
    await asyncio.gather(*(journal.claim(unit, 1) for unit in units))

    verdicts = await asyncio.gather(*(journal.commit([commit(1, unit)], NOW) for unit in units))

    assert verdicts == [[None]] * 30


async def test_entries_and_states_larger_than_any_buffer_are_committed(redis_world):
    journal = redis_world.journal()
    await journal.claim(S1, 1)
    large = UnitCommit(unit=S1, epoch=1, records=commit().records, states={"CP": bytes(3_000_000), "B": b""})

    assert await journal.commit([large], NOW) == [None]
    fetched = await journal.fetch([(S1, "CP"), (S1, "B")], [], [])
    assert fetched.states == {"CP": bytes(3_000_000), "B": b""}


async def test_ten_thousand_states_of_one_unit_fit_one_commit(redis_world):
    journal = redis_world.journal()
    await journal.claim(S1, 1)
    states = {f"CP-{n}": b"%d" % n for n in range(10_000)}
    many = UnitCommit(unit=S1, epoch=1, records=commit().records, states=states)

    assert await journal.commit([many], NOW) == [None]
    assert (await journal.fetch([(S1, name) for name in states], [], [])).states == states


async def test_a_redis_without_memory_refuses_clearly_writes_nothing_and_recovers(own_world):
    journal, client = own_world.journal(), own_world.client()
    await journal.claim(S1, 1)
    await client.config_set("maxmemory", "100kb")
    (verdict,) = await journal.commit([commit(1)], NOW)
    await client.config_set("maxmemory", "0")

    assert unavailable(verdict, "maxmemory")
    assert await recorded(own_world) == []
    assert await state(journal) is None
    assert await journal.commit([commit(2)], NOW) == [None]


async def test_a_redis_that_cannot_write_its_disk_refuses_clearly(own_world, tmp_path):
    journal, client = own_world.journal(), own_world.client()
    await journal.claim(S1, 1)
    gone = tmp_path / "gone"
    gone.mkdir()
    await client.config_set("dir", str(gone))
    gone.rmdir()
    await client.config_set("save", "3600 1")
    await client.bgsave()
    await eventually(lambda: saving_failed(client))

    (verdict,) = await journal.commit([commit(1)], NOW)

    assert unavailable(verdict, "free space or repair the disk")
    with pytest.raises(JournalUnavailable, match="disk"):
        await journal.claim(S1, 2)


async def test_a_replica_refuses_clearly(own_world):
    journal = own_world.journal()
    await journal.claim(S1, 1)
    await own_world.client().replicaof("127.0.0.1", 1)

    (verdict,) = await journal.commit([commit(1)], NOW)

    assert unavailable(verdict, "read-only replica")


async def test_a_broken_fence_is_named_and_nothing_is_written(redis_world):
    await redis_world.client().set(keys.epoch_key(S1), "seven")

    with pytest.raises(JournalUnavailable, match="no fence: seven"):
        await redis_world.journal().claim(S1, 1)
    (verdict,) = await redis_world.journal().commit([commit()], NOW)
    assert isinstance(verdict, JournalUnavailable)
    assert await recorded(redis_world) == []


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "reading its data"),
        (b"-NOAUTH Authentication required.\r\n", "wants a password"),
        (b"-NOPERM this user has no permissions to run the 'evalsha' command\r\n", "allow it all commands"),
        (b"-ERR max number of clients reached\r\n", "maxclients"),
        (b"-BUSY Redis is busy running a script.\r\n", "SCRIPT KILL"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "replica without its primary"),
        (b"-ERR something new\r\n", "refused: ERR something new"),
        (b"HTTP/1.1 400 Bad Request\r\n", "does not answer"),
    ],
)
async def test_what_redis_refuses_is_said_with_advice(world_of_answer, answer, word):
    world = await world_of_answer(answer)

    (verdict,) = await world.journal().commit([commit()], NOW)

    assert unavailable(verdict, word), verdict


async def test_a_wrong_password_is_said(server):
    client = redis_client(RedisSettings(url=f"redis://:wrong@127.0.0.1:{server.port}/0"))
    link = RedisLink(client, timeout_s=2.0, place="here")
    with pytest.raises(JournalUnavailable, match="refuses user or password"):
        await link.command(b"PING")
    await client.aclose()


@pytest.mark.crash
async def test_whatever_was_recorded_survives_kill_9_exactly_once(own_world, server):
    """Eight owners write without pause while Redis is killed three times; each goes on from what it finds."""
    journal = own_world.journal(command_timeout_s=2.0)
    done, acknowledged = asyncio.Event(), {shard: [] for shard in range(8)}
    progress = asyncio.Condition()

    async def own(unit: Unit) -> None:
        await journal.claim(unit, 1)
        number = 0
        while not done.is_set():
            (verdict,) = await journal.commit([commit(number + 1, unit)], NOW)
            if verdict is None:
                number += 1
                acknowledged[unit.shard].append(number)
                async with progress:
                    progress.notify_all()
                continue
            assert isinstance(verdict, JournalUnavailable)
            number = await eventually(lambda: state(journal, unit)) or 0

    owners = [asyncio.create_task(own(Unit(shard=shard))) for shard in acknowledged]
    for _ in range(3):
        goal = sum(map(len, acknowledged.values())) + 150
        async with progress:
            await progress.wait_for(lambda goal=goal: sum(map(len, acknowledged.values())) >= goal)
        server.kill()
        await asyncio.to_thread(server.start)
    done.set()
    await asyncio.gather(*owners)

    for shard, numbers in acknowledged.items():
        history = await recorded(own_world, shard)
        assert history == list(range(1, len(history) + 1))
        assert set(numbers) <= set(history)
        assert await state(journal, Unit(shard=shard)) == len(history)
