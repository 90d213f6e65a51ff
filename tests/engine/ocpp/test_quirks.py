"""Quirks on the wire: each switch, and what it changes in how a station is read."""

from datetime import UTC, datetime

import pytest

from engine.model.quirks import Oddity, Quirks
from engine.model.transactions import TransactionReported
from engine.ocpp import catalogue
from engine.ocpp.errors import ErrorCode, RemoteError
from engine.ocpp.quirks import WireQuirks, oddities, time_fields
from engine.ocpp.versions import Version

V16, V201, V21 = Version
NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)


def start(timestamp, meter=100):
    return {"connectorId": 1, "idTag": "A", "meterStart": meter, "timestamp": timestamp}


def started_at(timestamp, **switches):
    understood = WireQuirks(Quirks(**switches)).understand(V16, "StartTransaction", start(timestamp))
    return understood.report.at


def meter_values(*samples, timestamp="2025-05-01T12:00:00Z"):
    return {"connectorId": 1, "meterValue": [{"timestamp": timestamp, "sampledValue": [*samples]}]}


def event(**info):
    return {
        "eventType": "Updated",
        "timestamp": "2025-05-01T12:00:00Z",
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "t"},
        **info,
    }


class TestTimes:
    @pytest.mark.parametrize(
        ("timestamp", "switches"),
        [
            ("2025-05-01T14:00:00", {"utc_offset_min": 120}),
            ("2025-05-01T06:30:00", {"utc_offset_min": -330}),
            ("2025-05-01T12:00:00", {}),
            ("2025-05-01T12:00:00Z", {"utc_offset_min": 120}),
            ("2025-05-01T14:00:00+02:00", {"utc_offset_min": 60}),
            ("2025-05-01T14:00:00Z", {"utc_offset_min": 120, "zulu_is_local": True}),
            ("2025-05-01T14:00:00+00:00", {"utc_offset_min": 120, "zulu_is_local": True}),
            ("2025-05-01T13:00:00+01:00", {"utc_offset_min": 120, "zulu_is_local": True}),
            ("01.05.2025 14:00:00", {"utc_offset_min": 120, "time_formats": ("%d.%m.%Y %H:%M:%S",)}),
            ("1746100800", {"time_formats": ("epoch_s",)}),
            (1746100800, {"time_formats": ("epoch_s",)}),
            ("1746100800000", {"time_formats": ("%d.%m.%Y", "epoch_ms")}),
        ],
    )
    def test_a_time_means_what_the_station_means(self, timestamp, switches):
        assert started_at(timestamp, **switches) == NOON

    @pytest.mark.parametrize("timestamp", ["nonsense", "", "99999999999999999999"])
    def test_what_is_no_time_stays_none_and_harms_nothing(self, timestamp):
        switches = {"utc_offset_min": 120, "zulu_is_local": True, "time_formats": ("epoch_s", "%d")}
        assert started_at(timestamp, **switches) is None

    def test_where_the_calendar_begins_a_time_stays_as_it_is(self):
        assert started_at("0001-01-01T00:00:00", utc_offset_min=120) == datetime(1, 1, 1, tzinfo=UTC)

    def test_times_of_readings_are_meant_too(self):
        quirks = WireQuirks(Quirks(utc_offset_min=120))
        payload = meter_values({"value": "1"}, timestamp="2025-05-01T14:00:00")
        assert quirks.understand(V16, "MeterValues", payload).report.readings[0].at == NOON

    def test_a_message_with_odd_times_has_no_notes_left(self):
        quirks = WireQuirks(Quirks(utc_offset_min=120))
        assert quirks.understand(V16, "StartTransaction", start("2025-05-01T14:00:00")).repairs == ()

    def test_numbers_that_are_no_times_are_left_alone(self):
        quirks = WireQuirks(Quirks(time_formats=("epoch_s",)))
        report = quirks.understand(V201, "TransactionEvent", event(offline=False, numberOfPhasesUsed=3)).report
        assert (report.sequence, report.phases_used) == (0, 3)

    @pytest.mark.parametrize("version", Version)
    def test_the_time_fields_are_those_of_the_schemas(self, version):
        assert "timestamp" in time_fields(version)
        assert not time_fields(version) & {"transactionId", "seqNo", "duration", "value"}


class TestValues:
    @pytest.mark.parametrize(
        ("sample", "switches", "reading"),
        [
            ({"value": "7.5"}, {"unit_means": {"Wh": "kWh"}}, (7_500.0, "Wh")),
            ({"value": "7.5", "unit": "Wh"}, {"unit_means": {"Wh": "kWh"}}, (7_500.0, "Wh")),
            ({"value": "7.5", "unit": "kWh"}, {"unit_means": {"Wh": "kWh"}}, (7_500.0, "Wh")),
            ({"value": "11", "measurand": "Power.Active.Import"}, {"unit_means": {"W": "kW"}}, (11_000.0, "W")),
            ({"value": "11", "measurand": "SoC"}, {"unit_means": {"Wh": "kWh"}}, (11.0, "Percent")),
        ],
    )
    def test_a_unit_means_what_the_station_means(self, sample, switches, reading):
        understood = WireQuirks(Quirks(**switches)).understand(V16, "MeterValues", meter_values(sample))
        found = understood.report.readings[0]
        assert (found.value, found.unit) == reading
        assert understood.repairs == ()

    @pytest.mark.parametrize("version", [V201, V21])
    @pytest.mark.parametrize(
        ("sample", "switches", "value"),
        [
            ({"value": 7.5}, {"unit_means": {"Wh": "kWh"}}, 7_500.0),
            ({"value": 7.5, "unitOfMeasure": {"unit": "Wh"}}, {"unit_means": {"Wh": "kWh"}}, 7_500.0),
            ({"value": 7_500, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}, {"multiplier_ignored": True}, 7_500.0),
            ({"value": 7_500, "unitOfMeasure": {"multiplier": 3}}, {"multiplier_ignored": True}, 7_500.0),
        ],
    )
    def test_in_2_x_too(self, version, sample, switches, value):
        payload = event(meterValue=[{"timestamp": "2025-05-01T12:00:00Z", "sampledValue": [sample]}])
        understood = WireQuirks(Quirks(**switches)).understand(version, "TransactionEvent", payload)
        assert (understood.report.readings[0].value, understood.report.readings[0].unit) == (value, "Wh")

    def test_the_meters_of_1_6_have_a_factor(self):
        quirks = WireQuirks(Quirks(meter_factor=1000.0))
        assert quirks.understand(V16, "StartTransaction", start("2025-05-01T12:00:00Z", 7.5)).report.meter_wh == 7_500
        stop = {"transactionId": 1, "meterStop": 8, "timestamp": "2025-05-01T12:00:00Z"}
        assert quirks.understand(V16, "StopTransaction", stop).report.meter_wh == 8_000

    def test_a_meter_that_is_no_number_is_refused_as_ever(self):
        with pytest.raises(RemoteError):
            WireQuirks(Quirks(meter_factor=10.0)).understand(V16, "StartTransaction", start("2025-05-01T12:00:00Z", {}))

    def test_what_came_stays_as_it_came(self):
        payload = meter_values({"value": "7.5"}, timestamp="2025-05-01T14:00:00")
        before = str(payload)
        WireQuirks(Quirks(unit_means={"Wh": "kWh"}, utc_offset_min=60)).understand(V16, "MeterValues", payload)
        assert str(payload) == before


def test_a_sequence_that_says_nothing_is_not_said():
    report = WireQuirks(Quirks(sequence_ignored=True)).understand(V21, "TransactionEvent", event()).report
    assert isinstance(report, TransactionReported)
    assert report.sequence is None


@pytest.mark.parametrize("actions", [("Authorize",), ("*",)])
def test_a_lenient_action_may_have_long_texts_and_unknown_fields(actions):
    payload = {"idTag": "x" * 40, "extra": 1}
    with pytest.raises(RemoteError):
        catalogue.understand(V16, "Authorize", payload)
    quirks = WireQuirks(Quirks(lenient_actions=actions))
    assert quirks.understand(V16, "Authorize", payload).report.token.value == "x" * 40


def test_another_action_is_read_as_ever():
    with pytest.raises(RemoteError):
        WireQuirks(Quirks(lenient_actions=("Heartbeat",))).understand(V16, "Authorize", {"idTag": "x" * 40})


class TestErrors:
    UNKNOWN = RemoteError(ErrorCode.NOT_IMPLEMENTED, "no action")
    WRONG = RemoteError(ErrorCode.TYPE_CONSTRAINT_VIOLATION, "too long", {"a": 1})

    def test_without_a_switch_errors_are_as_they_are(self):
        assert WireQuirks(Quirks(ping=False)).refusal(self.WRONG) is self.WRONG

    def test_another_code_is_told_with_the_same_words(self):
        told = WireQuirks(Quirks(error_code="GenericError")).refusal(self.WRONG)
        assert (told.code, told.description, told.details) == (ErrorCode.GENERIC_ERROR, "too long", {"a": 1})

    def test_an_unknown_action_is_met_with_silence_and_nothing_else(self):
        quirks = WireQuirks(Quirks(unknown_actions_silent=True))
        assert quirks.refusal(self.UNKNOWN) is None
        assert quirks.refusal(self.WRONG) is self.WRONG


@pytest.mark.parametrize(
    ("delays", "action", "delay_s"),
    [
        ({}, "StartTransaction", 0.0),
        ({"StartTransaction": 25}, "StartTransaction", 0.025),
        ({"StartTransaction": 25}, "Heartbeat", 0.0),
        ({"*": 10, "Heartbeat": 0}, "Authorize", 0.01),
        ({"*": 10, "Heartbeat": 0}, "Heartbeat", 0.0),
    ],
)
def test_answers_are_delayed_by_action(delays, action, delay_s):
    assert WireQuirks(Quirks(answer_delay_ms=delays)).answer_delay_s(action) == delay_s


def test_notes_on_a_message_tell_what_is_odd_about_its_station():
    long = catalogue.understand(V16, "StartTransaction", {**start("2025-05-01T12:00:00"), "idTag": "x" * 30})
    assert [*oddities(long.repairs)] == [Oddity.TOO_LONG, Oddity.TIME_WITHOUT_ZONE]
    repaired = catalogue.understand(V16, "StartTransaction", {**start("nonsense"), "reservationId": None})
    assert [*oddities(repaired.repairs)] == [Oddity.REPAIRED, Oddity.TIME_UNREADABLE]
    assert oddities(()) == {}
