"""What stations say is valid in each version."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from loadtests.wording import WORDING_OF_VERSION, Charge, Meter, Moment, stamp
from tests.loadtests.scripted import check

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
METER = Meter(1234, 10_987.6543, 15.9237, 3, 45.678)
STATUSES = ("Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Unavailable")
REASONS = {"1.6": ("HardReset", "SoftReset", "UnlockCommand"), "2.0.1": ("ImmediateReset",), "2.1": ("ImmediateReset",)}
versions = pytest.mark.parametrize("version", WORDING_OF_VERSION)


def words_of(version):
    return WORDING_OF_VERSION[version]


@versions
def test_all_words_are_valid(version):
    words = words_of(version)
    calls = [words.boot("x" * 60, reason) for reason in ("PowerUp", "RemoteReset", "ScheduledReset", "Triggered")]
    calls += [words.status(1, status, AT) for status in STATUSES]
    calls += [words.authorize("TOKEN"), words.meter_values(None, 1, Meter(7), AT)]
    for reason in (None, "Local", "Remote", "DeAuthorized", *REASONS[version]):
        charge = Charge(1, "TOKEN", 1200, id="17", stop_reason=reason)
        calls += [words.meter_values(charge, 1, METER, AT), words.start(charge, METER, Moment(AT, offline=True))]
        triggers = ("MeterValuePeriodic", "Trigger", "ChargingStateChanged")
        calls += [words.update(charge, METER, Moment(AT), trigger) for trigger in triggers]
        calls += [words.stop(charge, METER.at_rest(), Moment(AT))]
    for action, payload in calls:
        check(version, action, "Request", payload)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_transaction_events_tell_the_whole_story(version):
    words = words_of(version)
    charge = Charge(2, "TOKEN", 1200, id="tx", remote=True, remote_start_id=9)
    start = words.start(charge, METER, Moment(AT))[1]
    charge.state = "Charging"
    update = words.update(charge, METER, Moment(AT, offline=True))[1]
    charge.stop_reason = "Remote"
    stop = words.stop(charge, METER, Moment(AT))[1]
    assert [each["seqNo"] for each in (start, update, stop)] == [0, 1, 2]
    assert start["evse"] == {"id": 2, "connectorId": 1}
    assert start["idToken"]["idToken"] == "TOKEN"
    assert start["triggerReason"] == "RemoteStart"
    assert start["transactionInfo"]["remoteStartId"] == 9
    assert "offline" not in start
    assert update["offline"] is True
    assert update["transactionInfo"]["chargingState"] == "Charging"
    assert (stop["triggerReason"], stop["transactionInfo"]["stoppedReason"]) == ("RemoteStop", "Remote")


def test_a_transaction_without_number_is_minus_one_in_its_stop_and_absent_in_its_values():
    words, charge = words_of("1.6"), Charge(1, "TOKEN", 0)
    assert words.stop(charge, METER, Moment(AT))[1]["transactionId"] == -1
    assert "transactionId" not in words.update(charge, METER, Moment(AT))[1]


@versions
def test_only_a_clear_no_deauthorizes(version):
    words, info = words_of(version), "idTagInfo" if version == "1.6" else "idTokenInfo"
    assert words.accepts({info: {"status": "Accepted"}})
    assert not words.accepts({})
    assert not words.deauthorizes({})
    assert words.deauthorizes({info: {"status": "Blocked"}})


def test_times_are_utc_with_milliseconds():
    assert stamp(AT.astimezone(timezone(timedelta(hours=3)))) == "2026-11-21T12:00:00.123Z"
