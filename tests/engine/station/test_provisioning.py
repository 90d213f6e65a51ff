"""Boot, heartbeat, and what a station that is not accepted may say."""

from datetime import timedelta

import pytest

from engine.model.authorization import Token, TokenPresented
from engine.model.availability import ConnectorStatus, ConnectorStatusReported
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.data_transfer import DataReported
from engine.model.ids import EvseRef
from engine.model.metering import ReadingsReported
from engine.model.notices import NoticeAnswer, StationNotice
from engine.model.provisioning import (
    BootAnswer,
    BootReported,
    ChangePassword,
    HeartbeatAnswer,
    HeartbeatReported,
    NetworkProfile,
    NetworkProfileAnswered,
    PasswordChangeAnswered,
    Registration,
    SetNetworkProfile,
    StationBooted,
    StationSeen,
)
from engine.model.remote_control import TriggerMessage
from engine.model.transactions import Stage, TransactionReported
from engine.station.effects import Deny
from engine.station.policy import Policy, ProvisioningPolicy
from engine.station.provisioning import part_of
from tests.engine.station.test_device_model import YES, answer, ask

STATUS = ConnectorStatusReported(evse=EvseRef(1, 1), status=ConnectorStatus.AVAILABLE)
NOTICE = StationNotice(action="NotifyReport", payload=b"{}")
BUT_BOOT_AND_NOTICES = [
    HeartbeatReported(),
    STATUS,
    TokenPresented(Token("A")),
    TransactionReported(stage=Stage.STARTED, token=Token("A")),
    ReadingsReported(evse=EvseRef(1, 1), readings=()),
    DataReported("Acme"),
]


def trigger(actor, message):
    return CommandRequest(
        command_id=message,
        station="CP-1",
        command=TriggerMessage(message),
        requested_at=actor.now,
        deadline_at=actor.now + timedelta(seconds=30),
    )


def test_a_boot_is_answered_with_the_heartbeat_interval_and_our_time(make_actor):
    actor = make_actor()
    received_at = actor.now - timedelta(seconds=1)
    boot = BootReported(vendor="Acme", model="One", firmware_version="1.2")
    answer = actor.says(boot, received_at=received_at)
    assert answer == BootAnswer(registration=Registration.ACCEPTED, interval_s=300, now=actor.now)
    booted = StationBooted(boot=boot, registration=Registration.ACCEPTED, interval_s=300, at=received_at)
    assert actor.recorded == [booted]


@pytest.mark.parametrize("verdict", [Registration.PENDING, Registration.REJECTED])
def test_the_operators_record_decides_a_boot(make_actor, verdict):
    actor = make_actor()
    actor.judge(verdict)
    assert actor.boot() == BootAnswer(registration=verdict, interval_s=60, now=actor.now)
    assert actor.state.registration is verdict


def test_the_policy_decides_where_the_operator_did_not(make_actor):
    actor = make_actor(policy=Policy(unknown_stations=Registration.PENDING))
    assert actor.boot().registration is Registration.PENDING


@pytest.mark.parametrize("report", BUT_BOOT_AND_NOTICES, ids=lambda report: type(report).__name__)
@pytest.mark.parametrize("verdict", [Registration.PENDING, Registration.REJECTED])
@pytest.mark.parametrize("booted", [True, False])
def test_a_station_that_is_not_accepted_is_denied_all_but_boots(make_actor, verdict, report, booted):
    actor = make_actor()
    actor.judge(verdict)
    if booted:
        actor.boot()
    answer = actor.says(report)
    assert isinstance(answer, Deny)
    assert verdict.value in answer.reason
    assert actor.recorded == []


def test_a_pending_station_may_send_notices_and_a_rejected_one_not(make_actor):
    actor = make_actor()
    actor.judge(Registration.PENDING)
    actor.boot()
    assert actor.says(NOTICE) == NoticeAnswer()
    actor.judge(Registration.REJECTED)
    assert isinstance(actor.says(NOTICE), Deny)


def test_a_pending_station_may_send_what_it_was_asked_for_until_it_boots_again(make_actor):
    actor = make_actor()
    actor.judge(Registration.PENDING)
    actor.connect()
    actor.boot()
    actor.take(trigger(actor, "StatusNotification"))
    assert not isinstance(actor.says(STATUS), Deny)
    assert isinstance(actor.says(HeartbeatReported()), Deny)
    actor.boot()
    assert isinstance(actor.says(STATUS), Deny)


def test_what_a_station_was_asked_for_is_bounded(make_actor):
    actor = make_actor()
    actor.judge(Registration.PENDING)
    actor.connect()
    for n in range(30):
        actor.take(trigger(actor, f"Message{n}"))
    assert len(actor.state.triggered) == 8


def test_a_station_that_never_boots_is_judged_as_its_boot_would_be(make_actor):
    actor = make_actor()
    assert actor.says(HeartbeatReported()) == HeartbeatAnswer(now=actor.now)


def test_a_pending_station_that_the_operator_accepted_need_not_boot_again(make_actor):
    actor = make_actor()
    actor.judge(Registration.PENDING)
    actor.boot()
    actor.judge(Registration.ACCEPTED)
    assert actor.says(HeartbeatReported()) == HeartbeatAnswer(now=actor.now)


def test_an_accepted_station_needs_no_lookup_and_stays_so_until_its_next_boot(actor):
    actor.judge(Registration.REJECTED)
    assert actor.says(HeartbeatReported()) == HeartbeatAnswer(now=actor.now)
    assert actor.boot().registration is Registration.REJECTED
    assert isinstance(actor.says(HeartbeatReported()), Deny)


def test_heartbeats_are_recorded_sparsely(actor):
    actor.wait(299)
    assert actor.says(HeartbeatReported()) == HeartbeatAnswer(now=actor.now)
    assert actor.recorded == []
    actor.wait(1)
    actor.says(HeartbeatReported())
    assert actor.recorded == [StationSeen(at=actor.now)]
    actor.says(HeartbeatReported())
    assert actor.recorded == []


def test_any_other_fact_shows_too_that_a_station_lives(actor):
    actor.wait(299)
    actor.says(STATUS)
    actor.wait(299)
    actor.says(HeartbeatReported())
    assert actor.of(StationSeen) == []


def test_a_boot_leaves_transactions_open(actor):
    actor.says(TransactionReported(stage=Stage.STARTED, at=actor.now, token=Token("A"), evse=EvseRef(1, 1)))
    actor.boot()
    assert len(actor.state.ledger.open) == 1


class TestIntervals:
    """Fleets must not beat in step."""

    POLICY = Policy(provisioning=ProvisioningPolicy(interval_jitter=0.2))

    def interval(self, make_actor, registration, policy=POLICY):
        actor = make_actor(policy=policy)
        actor.judge(registration)
        actor.connect()
        return actor.boot().interval_s

    def test_a_heartbeat_comes_a_little_earlier_always_at_the_same_interval(self, make_actor):
        told = {self.interval(make_actor, Registration.ACCEPTED) for _ in range(3)}
        assert told == {round(300 * (1 - 0.2 * part_of("CP-1")))}
        assert 240 <= told.pop() <= 300

    @pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
    def test_B02_FR_08_B03_FR_06_a_boot_retry_comes_a_little_later(self, make_actor, registration):
        assert self.interval(make_actor, registration) == round(60 * (1 + 0.2 * part_of("CP-1")))

    def test_B02_FR_07_zero_stays_zero(self, make_actor):
        policy = Policy(heartbeat_interval_s=0, provisioning=ProvisioningPolicy(interval_jitter=0.2))
        assert self.interval(make_actor, Registration.ACCEPTED, policy) == 0

    def test_ten_thousand_stations_are_spread_evenly(self):
        parts = sorted(part_of(f"CP-{number:05}") for number in range(10_000))
        assert max(abs(part - number / 10_000) for number, part in enumerate(parts)) < 0.03


class TestSettled:
    def test_A01_FR_02_A01_FR_04_what_a_station_said_to_a_new_password_is_told(self, actor):
        for number, outcome in enumerate((YES, Outcome(Result.REFUSED, status="Rejected"), Outcome(Result.TIMED_OUT))):
            ask(actor, ChangePassword("0123456789abcdef"), str(number))
            answer(actor, outcome, str(number))
        assert [fact.accepted for fact in actor.of(PasswordChangeAnswered)] == [True, False]
        assert "0123456789abcdef" not in repr(actor.of(PasswordChangeAnswered))

    def test_B09_what_a_station_said_to_a_network_profile_is_told_without_secrets(self, actor):
        profile = NetworkProfile(url="wss://u:hush@x/ocpp", security_profile=2, password="hush")
        ask(actor, SetNetworkProfile(3, profile))
        answer(actor, YES)
        (fact,) = actor.of(NetworkProfileAnswered)
        assert (fact.configuration_slot, fact.url, fact.status) == (3, "wss://u:***@x/ocpp", "Accepted")
        assert "hush" not in repr(fact)
