"""How a station comes, goes and behaves: contested identities, silence, another version, what was noticed."""

from datetime import timedelta

import pytest

from engine.model.ids import EvseRef
from engine.model.sessions import (
    IdentityContested,
    SessionClosed,
    SessionOpened,
    SilenceReported,
    SpeechReported,
    StationResponsive,
    StationUnresponsive,
    VersionChanged,
)
from engine.model.transactions import Stage, TransactionEnded, TransactionReported
from engine.station.presence import host_of
from engine.station.state import StationState, decode_state, encode_state


class Devices:
    """Devices that connect under one name, one after the other."""

    def __init__(self, actor):
        self.actor = actor
        self.order = 0

    def connect(self, host, *, closes_first=False, version="1.6"):
        actor = self.actor
        if closes_first and actor.state.session is not None:
            actor.take(SessionClosed(actor.state.session.session, 4000, "superseded", actor.now))
        self.order += 1
        session = f"i:1:{self.order}"
        actor.take(SessionOpened(session, "i", version, f"{host}:50{self.order}", actor.now, self.order))
        return actor.of(IdentityContested)


@pytest.fixture
def devices(make_actor):
    return Devices(make_actor())


class TestContest:
    @pytest.mark.parametrize("closes_first", [False, True], ids=["over-ingresses", "at-one-ingress"])
    def test_two_devices_of_one_identity_are_told(self, devices, closes_first):
        for host in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2"):
            assert devices.connect(host, closes_first=closes_first) == []
            devices.actor.wait(10)
        (contested,) = devices.connect("10.0.0.1", closes_first=closes_first)
        assert (contested.addresses, contested.takeovers) == (("10.0.0.2", "10.0.0.1"), 4)
        assert contested.at == devices.actor.now

    def test_it_is_told_again_only_after_as_many_more(self, devices):
        for number in range(8):
            devices.connect(f"10.0.0.{number % 2}")
            devices.actor.wait(1)
        assert len(devices.actor.of(IdentityContested)) == 1
        devices.connect("10.0.0.0")
        assert len(devices.actor.of(IdentityContested)) == 2

    def test_one_device_whose_connections_break_is_not(self, devices):
        for _ in range(9):
            assert devices.connect("10.0.0.1") == []
            devices.actor.wait(30)

    def test_but_one_that_does_nothing_else_is(self, devices):
        for _ in range(10):
            assert devices.connect("10.0.0.1") == []
            devices.actor.wait(5)
        (contested,) = devices.connect("10.0.0.1")
        assert contested.addresses == ("10.0.0.1",)

    def test_takeovers_that_are_rare_are_none(self, devices):
        for number in range(20):
            assert devices.connect(f"10.0.0.{number % 2}") == []
            devices.actor.wait(200)

    def test_a_connection_that_ended_by_itself_was_not_pushed_out(self, devices):
        actor = devices.actor
        for number in range(8):
            devices.connect(f"10.0.0.{number % 2}")
            actor.take(SessionClosed(actor.state.session.session, 1006, "", actor.wait(1)))
        assert actor.of(IdentityContested) == []

    @pytest.mark.parametrize(
        ("address", "host"), [("10.0.0.1:5000", "10.0.0.1"), ("[::1]:80", "[::1]"), ("", ""), ("x", "x")]
    )
    def test_a_host_is_its_address_without_the_port(self, address, host):
        assert host_of(address) == host


class TestSilence:
    def silent(self, actor, silent_s=900.0):
        actor.says(SilenceReported(silent_s=silent_s), message_id=None)

    def test_a_station_that_says_nothing_is_unresponsive_since_it_was_last_heard(self, actor):
        self.silent(actor)
        (fact,) = actor.of(StationUnresponsive)
        assert fact == StationUnresponsive("i:1:1", 900.0, actor.now - timedelta(seconds=900))

    def test_it_is_told_once(self, actor):
        self.silent(actor)
        self.silent(actor)
        assert len(actor.of(StationUnresponsive)) == 1

    def test_until_it_speaks(self, actor):
        self.silent(actor)
        actor.wait(60)
        actor.says(SpeechReported(silent_s=960.0), message_id=None)
        (fact,) = actor.of(StationResponsive)
        assert fact == StationResponsive("i:1:1", 960.0, actor.now)
        self.silent(actor)
        assert len(actor.of(StationUnresponsive)) == 2

    def test_one_that_was_not_unresponsive_does_not_become_responsive(self, actor):
        actor.says(SpeechReported(silent_s=960.0), message_id=None)
        assert actor.of(StationResponsive) == []

    @pytest.mark.parametrize("how", ["closed", "superseded"])
    def test_with_the_connection_it_ends(self, actor, how):
        self.silent(actor)
        if how == "closed":
            actor.take(SessionClosed("i:1:1", 1006, "", actor.now))
        else:
            actor.take(SessionOpened("j:1:1", "j", "1.6", "10.0.0.9", actor.wait(1)))
        (fact,) = actor.of(StationResponsive)
        assert fact.ended
        assert actor.state.presence.silent_since is None

    def test_silence_of_a_connection_that_is_over_says_nothing(self, actor):
        actor.take(SessionClosed("i:1:1", 1006, "", actor.now))
        self.silent(actor)
        assert actor.of(StationUnresponsive) == []


class TestVersions:
    def test_a_station_that_speaks_another_version_after_an_update_is_told(self, devices):
        actor = devices.actor
        devices.connect("10.0.0.1", version="1.6")
        actor.says(TransactionReported(stage=Stage.STARTED, at=actor.now, evse=EvseRef(1, 1), meter_wh=5.0))
        actor.take(SessionClosed("i:1:1", 1006, "", actor.wait(1)))
        devices.connect("10.0.0.1", version="2.0.1")
        (changed,) = actor.of(VersionChanged)
        assert (changed.before, changed.after, changed.transactions_open) == ("1.6", "2.0.1", ("1",))

    def test_its_state_goes_on_and_a_transaction_of_the_other_version_ends_under_its_name(self, devices):
        actor = devices.actor
        devices.connect("10.0.0.1", version="1.6")
        actor.says(TransactionReported(stage=Stage.STARTED, at=actor.now, evse=EvseRef(1, 1), meter_wh=5.0))
        actor.wait(60)
        devices.connect("10.0.0.1", version="2.1")
        assert [known.transaction_id for known in actor.state.ledger.open] == ["1"]
        end = TransactionReported(
            stage=Stage.ENDED, transaction_id="1", at=actor.now, sequence=9, meter_wh=25.0, trigger="StopAuthorized"
        )
        actor.says(end, session="i:1:2", message_id="n")
        (ended,) = actor.of(TransactionEnded)
        assert (ended.transaction_id, ended.energy_wh) == ("1", 20.0)
        assert [*actor.state.ledger.open] == []

    def test_the_same_version_again_is_nothing(self, devices):
        for _ in range(3):
            devices.connect("10.0.0.1", version="2.0.1")
            devices.actor.wait(700)
        assert devices.actor.of(VersionChanged) == []


def test_a_station_of_which_there_is_nothing_to_tell_costs_nothing(actor):
    written = encode_state(actor.state)
    assert b"presence" not in written
    assert b"noticed" not in written
    assert b"quirks" not in written


def test_a_state_of_an_older_narke_is_read(actor):
    older = encode_state(StationState("CP-1", session=actor.state.session))
    assert decode_state(older).presence == actor.state.presence
