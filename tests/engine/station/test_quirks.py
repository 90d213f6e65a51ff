"""Quirks where messages are understood: what an ingress is told, what is decided otherwise, what is counted."""

from datetime import timedelta

import msgspec
import pytest

from engine.model.ids import EvseRef
from engine.model.provisioning import BootReported, Registration
from engine.model.quirks import Make, OdditiesCounted, OdditiesReported, Oddity, QuirkBook, QuirkProfile, Quirks
from engine.model.sessions import SessionAnswer, SessionClosed, SessionOpened
from engine.model.stations import StationRecord
from engine.model.transactions import Stage, TransactionEnded, TransactionFlag, TransactionReported
from engine.station.effects import Reply

BOOK = QuirkBook(
    [
        QuirkProfile(
            name="acme", vendor=("acme",), firmware=("1.*",), reason="r", source="s", switches={"ping": False}
        ),
        QuirkProfile(name="jitter", reason="r", source="s", switches={"meter_jitter_wh": 1.0}),
    ]
)
BOOT = BootReported(vendor="Acme", model="One", firmware_version="1.2")
ACME = Make("Acme", "One", "1.2")


@pytest.fixture
def quirky(make_actor):
    actor = make_actor()
    actor.policy = msgspec.structs.replace(actor.policy, quirks=BOOK)
    return actor


def welcome_of(actor, session="i:1:1", order=1, quirks=()):
    effects = actor.take(SessionOpened(session, "i", "1.6", "10.0.0.9", actor.now, order, quirks))
    return next(effect.answer for effect in effects if isinstance(effect, Reply))


def transaction(actor, start_wh, stop_wh, *, sequence=None, at=None):
    start = TransactionReported(
        stage=Stage.STARTED, transaction_id="t", at=at or actor.now, evse=EvseRef(1, 1), meter_wh=start_wh, sequence=0
    )
    actor.says(start, message_id="a")
    stop = TransactionReported(
        stage=Stage.ENDED, transaction_id="t", at=(at or actor.now) + timedelta(seconds=9), meter_wh=stop_wh,
        sequence=sequence,
    )  # fmt: skip
    actor.says(stop, message_id="b")
    return actor.of(TransactionEnded)[-1]


def counts(actor):
    return dict(actor.state.noticed.counts)


class TestTold:
    def test_an_ingress_hears_of_a_new_station_that_it_never_booted(self, quirky):
        assert welcome_of(quirky) == SessionAnswer(heartbeat_s=300, booted=False)

    def test_with_its_boot_the_quirks_of_its_make_are_known(self, quirky):
        welcome_of(quirky)
        assert quirky.says(BOOT).quirks == Quirks(ping=False)
        assert quirky.state.make == ACME

    def test_a_station_that_returns_has_them_from_the_first_moment(self, quirky):
        welcome_of(quirky)
        quirky.says(BOOT)
        quirky.take(SessionClosed("i:1:1", 1006, "", quirky.now))
        assert welcome_of(quirky, "i:1:2", 2) == SessionAnswer(heartbeat_s=300, quirks=Quirks(ping=False))

    def test_the_same_opening_again_is_told_the_same(self, quirky):
        welcome_of(quirky)
        quirky.says(BOOT)
        assert welcome_of(quirky) == SessionAnswer(heartbeat_s=300, quirks=Quirks(ping=False))

    def test_what_its_record_names_comes_with_the_connection_and_with_a_boot(self, quirky):
        assert welcome_of(quirky, quirks=("jitter",)).quirks == Quirks(meter_jitter_wh=1.0)
        quirky.record = StationRecord("CP-1", quirks=("meter_jitter_wh=2",))
        assert quirky.says(BOOT).quirks == Quirks(ping=False, meter_jitter_wh=2.0)
        assert quirky.state.quirks == ("meter_jitter_wh=2",)

    def test_after_an_update_of_its_firmware_they_are_over(self, quirky):
        welcome_of(quirky)
        quirky.says(BOOT)
        assert quirky.says(msgspec.structs.replace(BOOT, firmware_version="2.0"), message_id="n").quirks is None

    def test_a_boot_that_says_too_much_is_remembered_short(self, quirky):
        welcome_of(quirky)
        quirky.says(BootReported(vendor="v" * 5_000, model="m" * 5_000, firmware_version="f" * 5_000))
        assert [len(part) for part in msgspec.structs.astuple(quirky.state.make)] == [100, 100, 100]


class TestJitter:
    def test_a_meter_that_jitters_gives_no_energy_and_no_flag(self, quirky):
        welcome_of(quirky, quirks=("jitter",))
        ended = transaction(quirky, 1_000.0, 999.0)
        assert (ended.energy_wh, ended.flags) == (0.0, ())

    def test_beyond_the_jitter_it_is_flagged(self, quirky):
        welcome_of(quirky, quirks=("jitter",))
        ended = transaction(quirky, 1_000.0, 998.0)
        assert (ended.energy_wh, ended.flags) == (None, (TransactionFlag.METER_BACKWARDS,))

    def test_without_the_quirk_too_and_it_is_noticed(self, quirky):
        welcome_of(quirky)
        assert TransactionFlag.METER_BACKWARDS in transaction(quirky, 1_000.0, 999.0).flags
        assert counts(quirky) == {"meter_backwards": 1}
        assert quirky.of(OdditiesCounted)[-1].examples == {"meter_backwards": "1"}

    def test_a_meter_that_was_replaced_is_no_jitter(self, quirky):
        welcome_of(quirky)
        transaction(quirky, 1_000.0, 0.0)
        assert counts(quirky) == {}


class TestNoticed:
    def told(self, actor, message_id=None, **news):
        actor.says(OdditiesReported(counts=news, examples=dict.fromkeys(news, "e")), message_id=message_id)

    def test_what_an_ingress_tells_adds_up(self, quirky):
        welcome_of(quirky)
        quirky.says(BOOT)
        self.told(quirky, repaired=3)
        self.told(quirky, repaired=2, refused=1)
        fact = quirky.of(OdditiesCounted)[-1]
        assert (dict(fact.counts), fact.make) == ({"repaired": 5, "refused": 1}, ACME)
        assert not fact.of_new_make

    def test_a_station_of_another_make_begins_anew(self, quirky):
        welcome_of(quirky)
        quirky.says(BOOT)
        self.told(quirky, repaired=3)
        quirky.says(msgspec.structs.replace(BOOT, firmware_version="2.0"), message_id="n")
        self.told(quirky, refused=1)
        fact = quirky.of(OdditiesCounted)[-1]
        assert (dict(fact.counts), fact.of_new_make) == ({"refused": 1}, True)
        self.told(quirky, refused=1)
        assert not quirky.of(OdditiesCounted)[-1].of_new_make

    def test_what_nobody_knows_is_not_kept(self, quirky):
        welcome_of(quirky)
        self.told(quirky, of_the_future=3, repaired=0)
        assert counts(quirky) == {}
        assert quirky.of(OdditiesCounted) == []

    def test_it_is_bounded_by_the_kinds_there_are(self, quirky):
        welcome_of(quirky)
        for _ in range(3):
            quirky.says(
                OdditiesReported(counts={**dict.fromkeys(Oddity, 2**60), **{f"x{n}": 1 for n in range(999)}}),
                message_id=None,
            )
        assert set(counts(quirky).values()) == {2**53}
        assert len(counts(quirky)) == len(Oddity)

    def test_a_rejected_station_is_listened_to_no_further(self, quirky):
        welcome_of(quirky)
        quirky.record = StationRecord("CP-1", registration=Registration.REJECTED)
        self.told(quirky, repaired=1)
        assert quirky.of(OdditiesCounted) == []

    def test_a_pending_one_is(self, quirky):
        welcome_of(quirky)
        quirky.record = StationRecord("CP-1", registration=Registration.PENDING)
        self.told(quirky, repaired=1)
        assert counts(quirky) == {"repaired": 1}

    def test_a_transaction_that_ends_with_sequence_number_zero_is_noticed(self, quirky):
        welcome_of(quirky)
        transaction(quirky, 1.0, 5.0, sequence=0)
        assert counts(quirky) == {"sequence_zero": 1}

    @pytest.mark.parametrize(
        ("ahead", "example"),
        [
            (timedelta(hours=2), "120"),
            (timedelta(hours=-5, minutes=-30, seconds=20), "-330"),
            (timedelta(hours=1, minutes=7), None),
            (timedelta(seconds=30), None),
            (timedelta(days=2), None),
        ],
    )
    def test_local_time_that_calls_itself_utc_is_noticed_when_a_transaction_starts(self, quirky, ahead, example):
        welcome_of(quirky)
        transaction(quirky, 1.0, 5.0, at=quirky.now + ahead)
        found = [fact.examples.get("clock_off_by_zone") for fact in quirky.of(OdditiesCounted)]
        assert found == ([] if example is None else [example])
