"""What a token may do."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.model.authorization import (
    Token,
    TokenAnswer,
    TokenChecked,
    TokenPresented,
    TokenRecord,
    TokenStatus,
    TransactionUse,
)
from engine.model.authorization import TokenVerdict as Verdict
from engine.model.certificates import ContractStatus
from engine.model.commands import CommandRequested
from engine.model.envelopes import Reported
from engine.model.ids import EvseRef
from engine.model.transactions import Stage, TransactionReported
from engine.station.authorization import use_key
from engine.station.context import Questions
from engine.station.decider import Tick, next_deadline, questions
from engine.station.policy import AuthorizationPolicy, Policy

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)
TOKEN = Token("04AB")


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (TokenRecord(TOKEN), Verdict(TokenStatus.ACCEPTED)),
        (TokenRecord(TOKEN, expires_at=LATER, group="g"), Verdict(TokenStatus.ACCEPTED, LATER, "g")),
        (TokenRecord(TOKEN, blocked=True, group="g"), Verdict(TokenStatus.BLOCKED, None, "g")),
        (TokenRecord(TOKEN, expires_at=START), Verdict(TokenStatus.EXPIRED, START)),
        (TokenRecord(TOKEN, blocked=True, expires_at=START), Verdict(TokenStatus.BLOCKED)),
        (TokenRecord(Token("other")), Verdict(TokenStatus.INVALID)),
    ],
)
def test_a_token_is_judged_by_its_record(make_actor, record, verdict):
    actor = make_actor(tokens=[record])
    assert actor.says(TokenPresented(TOKEN)) == TokenAnswer(verdict)
    unknown = record.token != TOKEN
    assert actor.recorded == [TokenChecked(token=TOKEN, verdict=verdict, at=actor.now, unknown=unknown)]


def test_the_policy_judges_unknown_tokens(make_actor):
    actor = make_actor(policy=Policy(unknown_tokens=TokenStatus.ACCEPTED))
    assert actor.says(TokenPresented(TOKEN)) == TokenAnswer(Verdict(TokenStatus.ACCEPTED))


def test_case_and_type_of_a_token_do_not_matter(make_actor):
    actor = make_actor(tokens=[TokenRecord(Token("04ab", "Local"))])
    assert actor.says(TokenPresented(Token("04AB", "ISO14443"))).verdict.status is TokenStatus.ACCEPTED


def test_no_authorization_with_an_empty_value_is_accepted_without_lookup(actor):
    free = TokenPresented(Token("", "NoAuthorization"))
    asked = questions(actor.state, Reported(session="i:1:1", message_id="m", digest=b"d", report=free))
    assert asked == Questions()
    assert actor.says(free) == TokenAnswer(Verdict(TokenStatus.ACCEPTED))


@pytest.mark.parametrize("token", [Token(""), Token("", "ISO14443"), Token("X", "NoAuthorization")])
def test_no_other_empty_or_odd_token_is(actor, token):
    assert actor.says(TokenPresented(token)).verdict.status is TokenStatus.INVALID


# Where, when and on what credit (2.1 C01.FR.18 to FR.22, C17)


def told(make_actor, record, report=None, **policy):
    """The verdict on a token that a station presents."""
    actor = make_actor(tokens=[record], policy=Policy(authorization=AuthorizationPolicy(**policy)))
    return actor.says(report or TokenPresented(TOKEN)).verdict


def start(connector=1, token=TOKEN, at=START, **more):
    return TransactionReported(
        stage=Stage.STARTED, at=at, evse=EvseRef(connector, 1), token=token, meter_wh=0.0, **more
    )


def started(transaction_id, evse=1, token=TOKEN, **more):
    more = {"sequence": 0, "at": START, "trigger": "Authorized"} | more
    return TransactionReported(
        stage=Stage.STARTED, transaction_id=transaction_id, evse=EvseRef(evse, 1), token=token, **more
    )


def test_C01_FR_19_a_token_that_is_allowed_everywhere_has_no_list_of_evses(make_actor):
    assert told(make_actor, TokenRecord(TOKEN, places=("CP-*",))) == Verdict(TokenStatus.ACCEPTED)


def test_C01_FR_20_a_token_that_is_allowed_at_some_evses_is_told_with_them(make_actor):
    verdict = told(make_actor, TokenRecord(TOKEN, places=("CP-1:3", "CP-1:2", "CP-2")))
    assert verdict == Verdict(TokenStatus.ACCEPTED, evses=(2, 3))


def test_C01_FR_22_a_token_that_is_allowed_elsewhere_is_told_so_without_evses(make_actor):
    assert told(make_actor, TokenRecord(TOKEN, places=("CP-2", "CP-1?"))) == Verdict(TokenStatus.NOT_AT_THIS_LOCATION)


def test_C01_FR_18_a_transaction_at_another_evse_is_told_that_it_is_not_allowed_there(make_actor):
    record = TokenRecord(TOKEN, places=("CP-1:2",))
    assert told(make_actor, record, started("t", evse=1)).status is TokenStatus.NOT_ALLOWED_TYPE_EVSE
    assert told(make_actor, record, started("t", evse=2)).status is TokenStatus.ACCEPTED


@pytest.mark.parametrize(
    ("hours", "zone", "status"),
    [
        (("09:00-11:00",), "UTC", TokenStatus.ACCEPTED),
        (("Mo-Fr 09:00-11:00",), "UTC", TokenStatus.NOT_AT_THIS_TIME),  # the 21st of November 2026 is a Saturday
        (("Mo-Fr 09:00-11:00", "Sa 10:00-10:01"), "UTC", TokenStatus.ACCEPTED),
        (("09:00-10:00",), "UTC", TokenStatus.NOT_AT_THIS_TIME),
        (("10:30-11:30",), "Europe/Berlin", TokenStatus.ACCEPTED),
        (("Fr 22:00-12:00",), "UTC", TokenStatus.ACCEPTED),
    ],
)
def test_a_token_with_hours_is_accepted_within_them(make_actor, hours, zone, status):
    assert told(make_actor, TokenRecord(TOKEN, hours=hours, time_zone=zone)).status is status


def test_C17_FR_01_a_prepaid_card_with_credit_is_accepted_and_not_to_be_remembered(make_actor):
    assert told(make_actor, TokenRecord(TOKEN, credit=12.5)) == Verdict(TokenStatus.ACCEPTED, cache_until=START)


def test_C17_FR_02_a_prepaid_card_without_credit_is_told_so(make_actor):
    assert told(make_actor, TokenRecord(TOKEN, credit=0.0)) == Verdict(TokenStatus.NO_CREDIT, cache_until=START)


def test_C17_FR_03_the_start_of_a_transaction_on_a_prepaid_card_is_limited_to_the_credit(make_actor):
    assert told(make_actor, TokenRecord(TOKEN, credit=12.5), started("t")).cost_max == 12.5
    stop = TransactionReported(
        stage=Stage.ENDED, transaction_id="t", at=START, token=TOKEN, sequence=1, trigger="StopAuthorized"
    )
    assert told(make_actor, TokenRecord(TOKEN, credit=12.5), stop).cost_max is None


def test_a_driver_is_told_in_their_language(make_actor):
    record = TokenRecord(TOKEN, language="de", language2="en", message="Hallo", priority=3)
    assert told(make_actor, record) == Verdict(
        TokenStatus.ACCEPTED, language="de", language2="en", message="Hallo", priority=3
    )


def test_stations_remember_a_verdict_no_longer_than_the_policy_says(make_actor):
    soon = START + timedelta(minutes=1)
    assert told(make_actor, TokenRecord(TOKEN), cache_s=60).expires_at == soon
    assert told(make_actor, TokenRecord(TOKEN, expires_at=LATER), cache_s=60).expires_at == soon
    assert told(make_actor, TokenRecord(TOKEN, expires_at=LATER), cache_s=86_400).expires_at == LATER


def test_C18_FR_05_a_payment_that_a_terminal_vouches_for_needs_no_record(make_actor):
    actor = make_actor()
    assert actor.says(TokenPresented(Token("psp-1", "DirectPayment"))).verdict.status is TokenStatus.ACCEPTED
    assert not actor.recorded[0].unknown


def test_C18_FR_07_a_payment_can_be_refused_by_a_record(make_actor):
    actor = make_actor(tokens=[TokenRecord(Token("psp-1", "DirectPayment"), blocked=True)])
    assert actor.says(TokenPresented(Token("psp-1", "DirectPayment"))).verdict.status is TokenStatus.BLOCKED


# Master pass (2.1 C16)

MASTER = TokenRecord(TOKEN, group="masters")


def test_C16_FR_03_a_master_pass_never_starts_a_transaction(make_actor):
    assert told(make_actor, MASTER, started("t"), master_group="masters").status is TokenStatus.INVALID
    assert told(make_actor, MASTER, start(), master_group="masters").status is TokenStatus.INVALID


def test_C16_FR_02_a_master_pass_stops_any_transaction(make_actor):
    assert told(make_actor, MASTER, master_group="masters") == Verdict(TokenStatus.ACCEPTED, group="masters")
    stop = TransactionReported(
        stage=Stage.ENDED, transaction_id="t", at=START, token=TOKEN, sequence=3, trigger="StopAuthorized"
    )
    assert told(make_actor, MASTER, stop, master_group="masters").status is TokenStatus.ACCEPTED


# Whoever may not charge may always stop


@pytest.mark.parametrize(
    "record",
    [
        TokenRecord(TOKEN, places=("elsewhere",)),
        TokenRecord(TOKEN, hours=("01:00-02:00",)),
        TokenRecord(TOKEN, credit=-3.0),
    ],
)
def test_a_token_that_may_not_charge_now_may_stop(make_actor, record):
    actor = make_actor(tokens=[record])
    number = actor.says(start()).number
    assert actor.says(TokenPresented(TOKEN)).verdict.status is TokenStatus.ACCEPTED
    stop = TransactionReported(stage=Stage.ENDED, transaction_id=str(number), at=START, token=TOKEN, meter_wh=1.0)
    assert actor.says(stop).verdict.status is TokenStatus.ACCEPTED


def test_C12_FR_03_the_token_of_an_update_is_judged_as_the_start_it_is(make_actor):
    actor = make_actor(tokens=[TokenRecord(TOKEN, places=("elsewhere",))])
    actor.says(started("t", token=None, trigger="CablePluggedIn"))
    update = TransactionReported(
        stage=Stage.UPDATED, transaction_id="t", at=START, token=TOKEN, sequence=1, trigger="Authorized"
    )
    assert actor.says(update).verdict.status is TokenStatus.NOT_AT_THIS_LOCATION


# Offline


def test_a_token_that_expired_after_it_was_presented_offline_is_accepted(make_actor):
    presented = START - timedelta(hours=2)
    record = TokenRecord(TOKEN, expires_at=START - timedelta(hours=1))
    assert told(make_actor, record, started("t", at=presented, offline=True)).status is TokenStatus.ACCEPTED
    assert told(make_actor, record, start(at=presented)).status is TokenStatus.ACCEPTED, "1.6 does not say offline"
    assert told(make_actor, record, started("t", at=presented, offline=False)).status is TokenStatus.EXPIRED


def test_a_token_that_was_blocked_meanwhile_is_blocked(make_actor):
    record = TokenRecord(TOKEN, blocked=True)
    report = started("t", at=START - timedelta(hours=2), offline=True)
    assert told(make_actor, record, report).status is TokenStatus.BLOCKED


def test_a_clock_in_1970_makes_no_token_young(make_actor):
    record = TokenRecord(TOKEN, expires_at=START - timedelta(hours=1))
    report = start(at=datetime(1970, 1, 1, tzinfo=UTC))
    assert told(make_actor, record, report).status is TokenStatus.EXPIRED


# ConcurrentTx


def crowded(make_actor, *uses, per_group=False, most=1, record=None):
    record = record or TokenRecord(TOKEN)
    policy = Policy(authorization=AuthorizationPolicy(transactions_max=most, per_group=per_group))
    actor = make_actor(tokens=[record], policy=policy)
    actor.uses = {use_key(record, policy): tuple(TransactionUse(*use) for use in uses)}
    return actor


def test_TC_concurrent_a_token_that_charges_elsewhere_is_told_so(make_actor):
    actor = crowded(make_actor, ("CP-2", "7"))
    assert actor.says(TokenPresented(TOKEN)).verdict.status is TokenStatus.CONCURRENT_TX
    answer = actor.says(start())
    assert answer.verdict.status is TokenStatus.CONCURRENT_TX
    assert answer.number is not None, "1.6 section 4.8: a start always gets its number"


def test_two_may_be_allowed(make_actor):
    actor = crowded(make_actor, ("CP-2", "7"), most=2)
    assert actor.says(start()).verdict.status is TokenStatus.ACCEPTED
    assert actor.says(start(connector=2)).verdict.status is TokenStatus.CONCURRENT_TX


def test_a_token_has_its_own_limit(make_actor):
    record = TokenRecord(TOKEN, concurrent_max=0)
    assert crowded(make_actor, ("CP-2", "7"), record=record).says(start()).verdict.status is TokenStatus.ACCEPTED


def test_a_second_start_at_the_same_station_is_concurrent_though_nobody_else_knows_yet(make_actor):
    actor = crowded(make_actor)
    assert actor.says(start()).verdict.status is TokenStatus.ACCEPTED
    assert actor.says(start(connector=2)).verdict.status is TokenStatus.CONCURRENT_TX


def test_a_repeated_start_is_not_concurrent_to_itself(make_actor):
    actor = crowded(make_actor)
    first = actor.says(start(), message_id="a")
    actor.uses = {f"token:{TOKEN.key}": (TransactionUse("CP-1", str(first.number)),)}
    assert actor.says(start(), message_id="b") == first


def test_a_stop_is_never_concurrent(make_actor):
    actor = crowded(make_actor, ("CP-2", "7"), most=2)
    number = actor.says(start()).number
    stop = TransactionReported(stage=Stage.ENDED, transaction_id=str(number), at=START, token=TOKEN, meter_wh=1.0)
    assert actor.says(TokenPresented(TOKEN)).verdict.status is TokenStatus.ACCEPTED
    assert actor.says(stop).verdict.status is TokenStatus.ACCEPTED


def test_one_of_a_group_may_be_asked_about_where_the_other_charges_for_it_may_stop_it(make_actor):
    record = TokenRecord(TOKEN, group="family")
    actor = crowded(make_actor, ("CP-1", "77"), per_group=True, record=record)
    other = Token("of-the-family")
    actor.tokens[other.key] = TokenRecord(other, group="family")
    actor.says(started("77", token=other))
    assert actor.says(TokenPresented(TOKEN)).verdict.status is TokenStatus.ACCEPTED
    assert actor.says(started("78", evse=2)).verdict.status is TokenStatus.CONCURRENT_TX


def test_a_transaction_here_that_has_ended_does_not_count_any_more(make_actor):
    actor = crowded(make_actor, ("CP-1", "gone"))
    assert actor.says(start()).verdict.status is TokenStatus.ACCEPTED


# Transactions on tokens that are not accepted


def stopping(make_actor, after_s=30.0):
    policy = Policy(authorization=AuthorizationPolicy(stop_invalid_s=after_s))
    actor = make_actor(policy=policy)
    actor.connect()
    actor.boot()
    return actor


def tick(actor):
    assert actor.state.planned_stops.due_at is None or next_deadline(actor.state, actor.policy) is not None
    return actor.take(Tick())


def sent_stops(actor):
    return [fact.request.command.transaction_id for fact in actor.of(CommandRequested)]


def test_a_transaction_on_an_invalid_token_is_stopped_by_policy(make_actor):
    actor = stopping(make_actor)
    number = actor.says(start()).number
    assert sent_stops(actor) == []
    actor.wait(31)
    tick(actor)
    assert sent_stops(actor) == [str(number)]
    assert actor.state.planned_stops.stops == ()


def test_it_is_not_where_the_station_stopped_it_itself(make_actor):
    actor = stopping(make_actor)
    number = actor.says(start()).number
    actor.says(
        TransactionReported(
            stage=Stage.ENDED, transaction_id=str(number), at=START, meter_wh=1.0, stop_reason="DeAuthorized"
        )
    )
    actor.wait(31)
    tick(actor)
    assert sent_stops(actor) == []


def test_it_is_not_where_the_policy_is_never(make_actor):
    actor = stopping(make_actor, after_s=None)
    actor.says(start())
    actor.wait(3600)
    tick(actor)
    assert sent_stops(actor) == []


def test_it_is_not_where_an_accepted_token_followed(make_actor):
    actor = stopping(make_actor)
    actor.says(started("t"))
    assert actor.state.planned_stops.find("t") is not None
    actor.tokens[TOKEN.key] = TokenRecord(TOKEN)
    again = TransactionReported(
        stage=Stage.UPDATED, transaction_id="t", at=START, token=TOKEN, sequence=1, trigger="Authorized"
    )
    assert actor.says(again).verdict.status is TokenStatus.ACCEPTED
    assert actor.state.planned_stops.find("t") is None
    actor.wait(31)
    tick(actor)
    assert sent_stops(actor) == []


def test_a_token_that_only_comes_with_an_update_counts_as_the_start(make_actor):
    actor = stopping(make_actor)
    actor.says(started("t", token=None, trigger="CablePluggedIn"))
    assert actor.state.planned_stops.find("t") is None
    actor.says(
        TransactionReported(
            stage=Stage.UPDATED, transaction_id="t", at=START, token=TOKEN, sequence=1, trigger="Authorized"
        )
    )
    assert actor.state.planned_stops.find("t") is not None


# Plug and charge (2.1 C07)


@pytest.mark.parametrize(
    ("found", "record", "status", "certificate"),
    [
        (ContractStatus.ACCEPTED, TokenRecord(TOKEN), TokenStatus.ACCEPTED, ContractStatus.ACCEPTED),
        (
            ContractStatus.ACCEPTED,
            TokenRecord(TOKEN, blocked=True),
            TokenStatus.BLOCKED,
            ContractStatus.CONTRACT_CANCELLED,
        ),
        (
            ContractStatus.CERTIFICATE_REVOKED,
            TokenRecord(TOKEN),
            TokenStatus.INVALID,
            ContractStatus.CERTIFICATE_REVOKED,
        ),
        (
            ContractStatus.CERTIFICATE_EXPIRED,
            TokenRecord(TOKEN),
            TokenStatus.EXPIRED,
            ContractStatus.CERTIFICATE_EXPIRED,
        ),
    ],
)
def test_C07_a_contract_certificate_is_answered_with_its_status(make_actor, found, record, status, certificate):
    actor = make_actor(tokens=[record])
    answer = actor.says(TokenPresented(TOKEN, certificate_status=found))
    assert (answer.verdict.status, answer.certificate_status) == (status, certificate)
    assert actor.recorded[0].verdict == answer.verdict
