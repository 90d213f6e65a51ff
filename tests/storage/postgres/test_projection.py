"""The contract of the projection, held by PostgreSQL and by the twin in memory alike."""

from datetime import timedelta

import pytest

from engine.model.authorization import Token, TokenRecord, TokenRemoved, TokenSaved
from engine.model.availability import ConnectorStatus
from engine.model.commands import CommandRequest, CommandRequested, CommandSettled, Outcome, Result
from engine.model.data_transfer import DataReceived, DataReported, SendData
from engine.model.facts import JournalEntry
from engine.model.ids import EvseRef
from engine.model.messages import Direction
from engine.model.metering import Reading, ReadingsRecorded
from engine.model.notices import NoticeRecorded, RawCommand, StationNotice
from engine.model.provisioning import (
    GetVariables,
    Registration,
    ResetKind,
    ResetStation,
    StationSeen,
    VariableRef,
    VariableResult,
)
from engine.model.stations import StationRecord, StationRegistered
from engine.model.transactions import (
    ChargingState,
    TransactionEnded,
    TransactionFlag,
    TransactionOpened,
    TransactionUpdated,
)
from storage.journal_reader import BadEntry, StreamEntry
from storage.projection import PositionMoved
from storage.queries import (
    CommandFilter,
    CommandRow,
    ConnectedSession,
    ConnectorRow,
    EventFilter,
    MessageFilter,
    MeterValueFilter,
    Page,
    StationFilter,
    StationRow,
    TokenFilter,
    TokenRow,
    TransactionFilter,
    TransactionRow,
)
from tests.storage.postgres.conftest import Projection
from tests.storage.postgres.stories import (
    NOW,
    TAG,
    at,
    booted,
    entry,
    late_start,
    message,
    operator_entry,
    readings,
    session_ended,
    session_started,
    status,
    story_16,
    story_21,
    theirs,
)

ALL = Page(limit=1000)
ALL_OLDEST_FIRST = Page(limit=1000, oldest_first=True)

TRANSACTION_16 = TransactionRow(
    station="CP-1",
    transaction_id="7",
    started_at=theirs(20),
    start_received_at=at(20),
    updated_at=at(200),
    number=7,
    evse=1,
    connector=1,
    token="04A1B2C3",
    token_type="ISO14443",
    token_group="fleet",
    token_status="Accepted",
    meter_start_wh=1000.0,
    meter_last_wh=2100.0,
    meter_stop_wh=2500.0,
    energy_wh=1500.0,
    ended_at=theirs(200),
    end_received_at=at(200),
    stop_reason="EVDisconnected",
    stop_token="04A1B2C3",
    charging_state="Charging",
    reservation_id=5,
)
TRANSACTION_21 = TransactionRow(
    station="EVSE-21",
    transaction_id="b5e9a1d0-tx",
    started_at=theirs(10),
    start_received_at=at(10),
    updated_at=at(500),
    evse=2,
    connector=1,
    token="DE-ABC-1",
    token_type="eMAID",
    token_group="fleet",
    token_status="Accepted",
    meter_start_wh=500.5,
    meter_last_wh=800.5,
    meter_stop_wh=900.5,
    energy_wh=400.0,
    ended_at=theirs(500),
    end_received_at=at(500),
    stop_reason="Remote",
    stop_token="MASTER",
    stop_token_status="Blocked",
    charging_state="SuspendedEV",
    last_sequence=3,
    remote_start_id=77,
    phases_used=3,
    cable_a_max=32.0,
    offline=True,
)
STATION_16 = StationRow(
    station="CP-1", vendor="ACME", model="One", serial_number="S-1", firmware_version="1.2", iccid="89", imsi="26",
    meter_type="M", meter_serial_number="MS-1", booted_at=at(1), boot_reason="PowerUp", boot_registration="Accepted",
    heartbeat_interval_s=300, version="1.6", session="i:1:1", ingress="ingress-0", address="10.0.0.7", connected=False,
    connected_at=at(0), disconnected_at=at(300), close_code=1006, close_reason="gone", seen_at=at(201),
)  # fmt: skip


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
async def test_what_a_session_reported_stands_in_the_rows_however_it_is_cut(projection: Projection, batch: int):
    entries = [pair for both in zip(story_16(), story_21(), strict=False) for pair in both] + story_16()[4:]
    for first in range(0, len(entries), batch):
        await projection.apply(entries[first : first + batch])

    detail = await projection.station("CP-1")
    assert detail is not None
    assert detail.station == STATION_16
    assert detail.connectors == (
        ConnectorRow("CP-1", 1, 1, status="Available", received_at=at(201), status_at=theirs(201)),
    )
    assert detail.open_transactions == ()
    ours = await projection.transaction("CP-1", "7")
    assert ours is not None
    assert ours.transaction == TRANSACTION_16
    assert [(value.received_at, value.at, value.value) for value in ours.meter_values] == [
        (at(80), theirs(80), 1400.0),
        (at(140), theirs(140), 2100.0),
    ]
    theirs_ = await projection.transaction("EVSE-21", "b5e9a1d0-tx")
    assert theirs_ is not None
    assert theirs_.transaction == TRANSACTION_21
    assert [value.value for value in theirs_.meter_values] == [500.5, 600.5, 800.5]
    kinds = [event.kind for event in (await projection.events(EventFilter(station="CP-1"), ALL_OLDEST_FIRST)).rows]
    assert kinds == [
        "session_started", "boot", "connector_status", "token_checked", "connector_status", "connector_status",
        "connector_status", "session_ended",
    ]  # fmt: skip


async def test_an_open_transaction_shows_the_energy_so_far(projection: Projection):
    await projection.apply(story_16()[:4])
    detail = await projection.station("CP-1")
    assert detail is not None
    assert [(row.energy_wh, row.ended_at) for row in detail.open_transactions] == [(400.0, None)]
    assert detail.station.connected


async def test_entries_handed_over_again_change_nothing(projection: Projection):
    await projection.apply(story_16())
    before = await projection.meter_values(MeterValueFilter(station="CP-1"), ALL)
    assert await projection.apply(story_16()) == {"s1": "1763719200006-0"}
    assert await projection.another().apply(story_16()) == {"s1": "1763719200006-0"}
    assert await projection.meter_values(MeterValueFilter(station="CP-1"), ALL) == before
    assert len(before.rows) == 2


async def test_an_entry_twice_in_one_batch_counts_once(projection: Projection):
    twice = entry("5-0", readings(1, 1.0))
    await projection.apply([twice, twice])
    assert len((await projection.meter_values(MeterValueFilter(station="CP-1"), ALL)).rows) == 1


async def test_ids_are_compared_as_numbers(projection: Projection):
    await projection.apply([entry("9-9", readings(1, 1.0))])
    await projection.apply([entry("9-10", readings(2, 2.0)), entry("10-0", readings(3, 3.0))])
    rows = (await projection.meter_values(MeterValueFilter(station="CP-1"), ALL_OLDEST_FIRST)).rows
    assert [row.value for row in rows] == [1.0, 2.0, 3.0]
    assert await projection.positions() == {"s1": "10-0"}


async def test_positions_start_empty_and_nothing_is_nothing(projection: Projection):
    assert await projection.positions() == {}
    assert await projection.apply([]) == {}


async def test_a_projector_that_was_overtaken_is_refused_and_writes_nothing(projection: Projection):
    first, second = projection, projection.another()
    await first.apply([entry("1-0", readings(1, 1.0))])
    await second.positions()
    await second.apply([entry("2-0", readings(2, 2.0))])
    with pytest.raises(PositionMoved, match="s1 is at 2-0, we left it at 1-0: another projector is at work"):
        await first.apply([entry("2-0", readings(2, 2.0)), entry("3-0", readings(3, 3.0))])
    rows = (await projection.meter_values(MeterValueFilter(station="CP-1"), ALL)).rows
    assert [row.value for row in rows] == [2.0, 1.0]
    assert await first.positions() == {"s1": "2-0"}
    await first.apply([entry("3-0", readings(3, 3.0))])


async def test_streams_have_positions_of_their_own(projection: Projection):
    assert await projection.apply([entry("5-0", StationSeen(at=at(1))), operator_entry("3-0")]) == {
        "s1": "5-0",
        "operator": "3-0",
    }
    await projection.apply([entry("4-0", StationSeen(at=at(2)), stream="s2", station="CP-2")])
    assert await projection.positions() == {"s1": "5-0", "s2": "4-0", "operator": "3-0"}


async def test_the_end_of_an_older_session_does_not_disconnect_the_newer(projection: Projection):
    facts = session_started(0, session="a"), session_started(5, session="b"), session_ended(6, session="a")
    await projection.apply([entry("1-0", *facts)])
    assert await projection.connected_sessions() == [ConnectedSession("CP-1", "b", "ingress-0")]
    await projection.apply([entry("2-0", session_ended(7, session="b"))])
    assert await projection.connected_sessions() == []


async def test_seen_never_goes_back(projection: Projection):
    await projection.apply([entry("1-0", StationSeen(at=at(50)), StationSeen(at=at(40)))])
    await projection.apply([entry("2-0", StationSeen(at=at(45)))])
    detail = await projection.station("CP-1")
    assert detail is not None
    assert detail.station == StationRow(station="CP-1", seen_at=at(50))


async def test_connector_zero_is_the_whole(projection: Projection):
    facts = [
        status(
            1,
            ConnectorStatus.FAULTED,
            evse=EvseRef(0),
            error_code="GroundFailure",
            info="wet",
            vendor_id="v",
            vendor_error_code="9",
        ),
        status(2, ConnectorStatus.AVAILABLE, evse=EvseRef(2, 1)),
        status(3, ConnectorStatus.OCCUPIED, evse=EvseRef(2, 1)),
    ]
    await projection.apply([entry("1-0", *facts)])
    assert await projection.connectors("CP-1") == (
        ConnectorRow("CP-1", 0, 0, "Faulted", at(1), theirs(1), "GroundFailure", "wet", "v", "9"),
        ConnectorRow("CP-1", 2, 1, "Occupied", at(3), theirs(3)),
    )


async def test_a_late_start_completes_a_transaction_that_was_opened_unseen(projection: Projection):
    unseen = TransactionOpened(
        transaction_id="7", started_at=at(100), received_at=at(100), flags=(TransactionFlag.STARTED_UNSEEN,)
    )
    await projection.apply([entry("1-0", unseen), entry("2-0", late_start(120, started=20))])
    detail = await projection.transaction("CP-1", "7")
    assert detail is not None
    row = detail.transaction
    assert (row.started_at, row.start_received_at, row.meter_start_wh) == (theirs(20), at(100), 1000.0)
    assert (row.token, row.flags) == ("04A1B2C3", ("started_unseen",))


async def test_a_transaction_opened_once_more_keeps_its_start(projection: Projection):
    again = TransactionOpened(
        transaction_id="7", started_at=at(150), received_at=at(150), flags=(TransactionFlag.STARTED_UNSEEN,)
    )
    await projection.apply([*story_16()[:4], entry("1763719200009-0", again)])
    detail = await projection.transaction("CP-1", "7")
    assert detail is not None
    assert (detail.transaction.started_at, detail.transaction.meter_start_wh) == (theirs(20), 1000.0)


async def test_what_comes_after_the_end_leaves_the_end_as_it_was(projection: Projection):
    late = TransactionUpdated(
        transaction_id="7",
        at=theirs(150),
        received_at=at(900),
        meter_last_wh=2200.0,
        flags=(TransactionFlag.AFTER_END,),
    )
    await projection.apply([*story_16(), entry("1763719200009-0", late, readings(900, 2200.0))])
    detail = await projection.transaction("CP-1", "7")
    assert detail is not None
    assert (detail.transaction.energy_wh, detail.transaction.ended_at) == (1500.0, theirs(200))
    assert detail.transaction.flags == ("after_end",)
    assert [value.value for value in detail.meter_values] == [1400.0, 2100.0, 2200.0]


async def test_an_end_without_figures_is_completed_by_what_comes_after(projection: Projection):
    opened = TransactionOpened(transaction_id="7", started_at=theirs(0), received_at=at(0))
    ended = TransactionEnded(transaction_id="7", ended_at=theirs(50), received_at=at(50), meter_stop_wh=900.0)
    late = TransactionUpdated(
        transaction_id="7", at=theirs(1), received_at=at(60), meter_start_wh=100.0, flags=(TransactionFlag.AFTER_END,)
    )
    await projection.apply([entry("1-0", opened, ended)])
    await projection.apply([entry("2-0", late)])
    detail = await projection.transaction("CP-1", "7")
    assert detail is not None
    assert (detail.transaction.meter_start_wh, detail.transaction.energy_wh) == (100.0, 800.0)


async def test_an_end_of_a_transaction_that_nobody_opened_is_kept_and_flagged(projection: Projection):
    ended = TransactionEnded(transaction_id="x", ended_at=theirs(50), received_at=at(50), energy_wh=None)
    await projection.apply([entry("1-0", ended)])
    detail = await projection.transaction("CP-1", "x")
    assert detail is not None
    assert (detail.transaction.started_at, detail.transaction.flags) == (at(50), ("started_unseen",))


async def test_every_field_of_a_reading_is_kept(projection: Projection):
    told = Reading(
        at=theirs(1),
        value=None,
        measurand="Voltage",
        unit="V",
        context="Transaction.Begin",
        location="Inlet",
        phase="L1-N",
        raw="x",
        signed='{"a":1}',
    )
    plain = Reading(at=None, value=-1.5e-3)
    await projection.apply([entry("1-0", ReadingsRecorded(readings=(told, plain), received_at=at(1)))])
    first, second = (await projection.meter_values(MeterValueFilter(station="CP-1"), ALL_OLDEST_FIRST)).rows
    assert (first.at, first.value, first.measurand, first.unit) == (theirs(1), None, "Voltage", "V")
    assert (first.context, first.location, first.phase) == ("Transaction.Begin", "Inlet", "L1-N")
    assert (first.raw, first.signed, first.transaction_id, first.evse) == ("x", '{"a":1}', None, None)
    assert (second.at, second.value, second.measurand, second.received_at) == (
        None, -1.5e-3, "Energy.Active.Import.Register", at(1),
    )  # fmt: skip


async def test_readings_of_several_times_in_one_message_keep_their_order(projection: Projection):
    times = [theirs(1), theirs(1), theirs(2), None, theirs(1)]
    told = tuple(Reading(at=time, value=float(number), unit=f"u{number}") for number, time in enumerate(times))
    await projection.apply([entry("1-0", ReadingsRecorded(readings=told, received_at=at(3)))])
    rows = (await projection.meter_values(MeterValueFilter(station="CP-1"), ALL_OLDEST_FIRST)).rows
    assert [(row.at, row.value, row.unit) for row in rows] == [
        (reading.at, reading.value, reading.unit) for reading in told
    ]
    assert len({row.id for row in rows}) == 5


async def test_more_readings_than_one_row_holds_are_all_there_in_order(projection: Projection):
    told = tuple(Reading(at=theirs(1), value=float(number)) for number in range(2_500))
    await projection.apply([entry("1-0", ReadingsRecorded(readings=told, received_at=at(1), transaction_id="7"))])
    await projection.apply([entry("2-0", readings(2, 2_500.0))])
    values, cursor = [], None
    while True:
        page = await projection.meter_values(
            MeterValueFilter(station="CP-1"), Page(limit=700, cursor=cursor, oldest_first=True)
        )
        values += [row.value for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert values == [float(number) for number in range(2_501)]


async def test_readings_can_be_filtered_by_what_they_measure(projection: Projection):
    told = (Reading(at=theirs(1), value=1.0), Reading(at=theirs(1), value=230.0, measurand="Voltage", unit="V"))
    await projection.apply([entry("1-0", ReadingsRecorded(readings=told, received_at=at(1), evse=EvseRef(2)))])
    for wanted in (MeterValueFilter(station="CP-1", measurand="Voltage"), MeterValueFilter(station="CP-1", evse=2)):
        rows = (await projection.meter_values(wanted, ALL)).rows
        assert rows[0].value == 230.0
        assert {row.measurand for row in rows} >= {"Voltage"}
    assert (await projection.meter_values(MeterValueFilter(station="CP-1", measurand="Power"), ALL)).rows == ()


@pytest.mark.parametrize("batch", [1, 3, 20])
async def test_a_transaction_goes_on_the_same_however_its_news_are_cut(projection: Projection, batch: int):
    news = [(1, 1100.0), (2, None), (3, 900.0), (4, 1300.0), (5, 1250.0), (6, None)]
    facts = [
        TransactionUpdated(
            transaction_id="7", at=theirs(n), received_at=at(100 - n), meter_last_wh=wh, sequence=n,
            charging_state=ChargingState.SUSPENDED_EV if n == 2 else None,
        )
        for n, wh in news
    ]  # fmt: skip
    entries = [*story_16()[:3], *(entry(f"1763719300000-{n}", fact) for n, fact in enumerate(facts))]
    for first in range(0, len(entries), batch):
        await projection.apply(entries[first : first + batch])
    detail = await projection.transaction("CP-1", "7")
    assert detail is not None
    row = detail.transaction
    assert (row.meter_last_wh, row.energy_wh, row.last_sequence) == (1250.0, 250.0, 6)
    assert (row.charging_state, row.updated_at) == ("SuspendedEV", at(99))


async def test_a_station_that_only_others_speak_of_has_a_row_and_was_not_seen(projection: Projection):
    await projection.apply([entry("1-0", requested("c1", ResetStation(kind=ResetKind.ON_IDLE)))])
    detail = await projection.station("CP-1")
    assert detail is not None
    assert detail.station == StationRow(station="CP-1")
    await projection.apply(
        [entry("2-0", booted(5)), entry("3-0", requested("c2", ResetStation(kind=ResetKind.ON_IDLE)))]
    )
    detail = await projection.station("CP-1")
    assert detail is not None
    assert (detail.station.vendor, detail.station.seen_at) == ("ACME", at(5))


async def test_a_call_and_its_answer_are_two_frames_one_behind_the_other(projection: Projection):
    log = [
        message(1, message_id="a", action="Authorize", frame="call a"),
        message(2, message_id="b", action="Reset", frame="call b", direction=Direction.OUT),
        message(3, message_id="a", action="Authorize", frame="answer a", direction=Direction.OUT, kind="result",
                latency_ms=2.0),
        message(4, message_id="b", action="Reset", frame="answer b", kind="error", outcome="NotSupported"),
        message(5, message_id="c", action="Heartbeat", frame="call c"),
    ]  # fmt: skip
    late = message(6, message_id="c", action="Heartbeat", frame="answer c", direction=Direction.OUT, kind="result")
    await projection.apply([StreamEntry("messages", "1-0", log)])
    await projection.apply([StreamEntry("messages", "2-0", [late])])
    rows = (await projection.messages(MessageFilter(), ALL_OLDEST_FIRST)).rows
    assert [(row.frame, row.direction, row.kind, row.outcome, row.at, row.latency_ms) for row in rows] == [
        ("call a", "in", "call", "ok", at(1), None),
        ("answer a", "out", "result", "ok", at(3), 2.0),
        ("call b", "out", "call", "ok", at(2), None),
        ("answer b", "in", "error", "NotSupported", at(4), None),
        ("call c", "in", "call", "ok", at(5), None),
        ("answer c", "out", "result", "ok", at(6), None),
    ]
    assert [row.id for row in rows] == sorted({row.id for row in rows})
    assert [row.message_id for row in rows] == ["a", "a", "b", "b", "c", "c"]
    answers = (await projection.messages(MessageFilter(direction="out", since=at(2.5), until=at(6)), ALL)).rows
    assert [row.frame for row in answers] == ["answer a"]


async def test_only_an_answer_to_the_very_call_rests_beside_it(projection: Projection):
    log = [
        message(1, message_id="a", action="Authorize", frame="theirs"),
        message(2, message_id="a", action="Authorize", frame="said by the same side", kind="result"),
        message(3, message_id="a", action="Other", frame="another action", direction=Direction.OUT, kind="result"),
        message(4, message_id="a", frame="another station", direction=Direction.OUT, kind="result", station="CP-2"),
        message(9_000, message_id="a", action="Authorize", frame="late", direction=Direction.OUT, kind="result"),
    ]
    await projection.apply([StreamEntry("messages", "1-0", log)])
    rows = (await projection.messages(MessageFilter(), ALL_OLDEST_FIRST)).rows
    assert [row.frame for row in rows] == [one.frame for one in log]
    assert [row.direction for row in rows] == ["in", "in", "out", "out", "out"]
    assert rows[4].at == at(9_000)


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
async def test_frames_are_each_shown_once_however_they_are_paged(projection: Projection, limit: int):
    log = []
    for number in range(4):
        log.append(message(number, message_id=str(number), frame=f"call {number}"))
        log.append(message(number, message_id=str(number), frame=f"answer {number}", direction=Direction.OUT,
                           kind="result"))  # fmt: skip
    await projection.apply([StreamEntry("messages", "1-0", [*log, message(9, frame="alone")])])
    for oldest_first in (True, False):
        frames, cursor = [], None
        while True:
            page = await projection.messages(
                MessageFilter(station="CP-1"), Page(limit=limit, cursor=cursor, oldest_first=oldest_first)
            )
            frames += [row.frame for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
        expected = [*(one.frame for one in log), "alone"]
        assert frames == (expected if oldest_first else expected[::-1])


async def test_what_the_operator_decides_and_what_a_station_reports_do_not_touch_each_other(projection: Projection):
    record = StationRecord(
        station="CP-1",
        registration=Registration.PENDING,
        security_profile=1,
        password_hash="$argon2id$...",
        message_log=True,
        note="gate",
    )
    await projection.apply([operator_entry("1-0", StationRegistered(record=record, at=at(0))), entry("1-0", booted())])
    detail = await projection.station("CP-1")
    assert detail is not None
    row = detail.station
    assert (row.registered, row.registration, row.security_profile, row.has_password) == (True, "Pending", 1, True)
    assert (row.message_log, row.note, row.vendor) == (True, "gate", "ACME")
    changed = StationRecord(station="CP-1")
    await projection.apply([operator_entry("2-0", StationRegistered(record=changed, at=at(9)))])
    detail = await projection.station("CP-1")
    assert detail is not None
    row = detail.station
    assert (row.registration, row.has_password, row.note, row.vendor) == ("Accepted", False, None, "ACME")


async def test_what_a_station_is_being_told_and_how_it_connects_is_shown_and_found(projection: Projection):
    quiet = StationRecord(station="CP-1", security_profile=1, password_hash="$argon2id$...")
    busy = StationRecord(
        station="CP-2",
        registration=Registration.PENDING,
        security_profile=2,
        password_hash_next="$sha256$...",
        security_profile_next=3,
        downgrade_allowed=True,
        certificate_name="SN-2",
        assume_ocpp16=True,
        lenient_upgrade=True,
    )
    facts = [StationRegistered(record=record, at=at(0)) for record in (quiet, busy)]
    await projection.apply([operator_entry("1-0", *facts)])

    (row,) = (await projection.stations(StationFilter(changing=True), ALL)).rows
    assert (row.station, row.has_password, row.has_password_next, row.security_profile_next) == ("CP-2", False, True, 3)
    assert (row.downgrade_allowed, row.certificate_name, row.assume_ocpp16, row.lenient_upgrade) == (
        True,
        "SN-2",
        True,
        True,
    )
    for wanted in (
        StationFilter(changing=False),
        StationFilter(security_profile=1),
        StationFilter(registration="Accepted"),
    ):
        assert [row.station for row in (await projection.stations(wanted, ALL)).rows] == ["CP-1"]


async def test_the_history_never_shows_a_password_hash(projection: Projection):
    record = StationRecord(station="CP-1", password_hash="$argon2id$secret", password_hash_next="$argon2id$next")
    await projection.apply([operator_entry("1-0", StationRegistered(record=record, at=at(0)))])
    (event,) = (await projection.events(EventFilter(kind="registered"), ALL)).rows
    assert event.data == {
        "record": {"is": "StationRecord", "station": "CP-1"},
        "has_password": True,
        "has_password_next": True,
    }
    assert "argon2" not in str(event)


async def test_tokens_are_saved_changed_and_removed_whatever_their_case(projection: Projection):
    record = TokenRecord(token=TAG, expires_at=NOW, group="fleet", note="Ann")
    await projection.apply([operator_entry("1-0", TokenSaved(record=record, at=at(1)))])
    assert (await projection.tokens(TokenFilter(), ALL)).rows == (
        TokenRow("04A1B2C3", "ISO14443", blocked=False, expires_at=NOW, group="fleet", note="Ann", saved_at=at(1)),
    )
    blocked = TokenRecord(token=Token(value="04a1b2c3"), blocked=True)
    await projection.apply([operator_entry("2-0", TokenSaved(record=blocked, at=at(2)))])
    assert (await projection.tokens(TokenFilter(blocked=True), ALL)).rows == (
        TokenRow("04a1b2c3", None, blocked=True, expires_at=None, group=None, note=None, saved_at=at(2)),
    )
    removed = TokenRemoved(token=Token(value="04A1b2C3"), at=at(3))
    await projection.apply([operator_entry("3-0", removed, TokenRemoved(token=Token(value="never"), at=at(3)))])
    assert (await projection.tokens(TokenFilter(), ALL)).rows == ()


async def test_a_token_removed_and_saved_in_one_batch_is_there(projection: Projection):
    save = TokenSaved(record=TokenRecord(token=TAG), at=at(1))
    await projection.apply([operator_entry("1-0", save, TokenRemoved(token=TAG, at=at(2)), save)])
    assert len((await projection.tokens(TokenFilter(), ALL)).rows) == 1


def requested(command_id: str, command, seconds: float = 0) -> CommandRequested:
    request = CommandRequest(
        command_id=command_id,
        station="CP-1",
        command=command,
        requested_at=at(seconds),
        deadline_at=at(seconds + 30),
        by="ann",
    )
    return CommandRequested(request=request)


async def test_a_command_and_its_outcomes_make_one_row(projection: Projection):
    await projection.apply([entry("1-0", requested("c1", ResetStation(kind=ResetKind.ON_IDLE)))])
    row = await projection.command("c1")
    assert row == CommandRow(
        command_id="c1",
        station="CP-1",
        kind="ResetStation",
        requested_at=at(0),
        command={"kind": "OnIdle", "evse": None},
        requested_by="ann",
        deadline_at=at(30),
    )
    late = Outcome(result=Result.ACCEPTED, status="Scheduled", detail="late", payload=b'{"status":"Scheduled"}')
    facts = (
        CommandSettled(command_id="c1", outcome=Outcome(result=Result.TIMED_OUT), at=at(30)),
        CommandSettled(command_id="c1", outcome=late, at=at(31)),
    )
    await projection.apply([entry("2-0", *facts)])
    row = await projection.command("c1")
    assert row is not None
    assert (row.kind, row.settled_at, row.result, row.status, row.detail, row.payload) == (
        "ResetStation", at(31), "accepted", "Scheduled", "late", {"status": "Scheduled"},
    )  # fmt: skip


async def test_json_within_commands_is_shown_as_json(projection: Projection):
    results = (VariableResult(ref=VariableRef("Interval"), status="Accepted", value="5", readonly=False),)
    facts = (
        requested("raw", RawCommand(action="GetLog", payload=b'{"requestId": 1}'), 1),
        requested("data", SendData(vendor_id="v", data=b'"text"'), 2),
        requested("none", SendData(vendor_id="v"), 3),
        requested("get", GetVariables(), 4),
        CommandSettled(command_id="get", outcome=Outcome(result=Result.ACCEPTED, variables=results), at=at(5)),
    )
    await projection.apply([entry("1-0", *facts)])
    rows = {row.command_id: row for row in (await projection.commands(CommandFilter(), ALL)).rows}
    assert list(rows) == ["get", "none", "data", "raw"]
    assert (rows["raw"].action, rows["raw"].command) == ("GetLog", {"action": "GetLog", "payload": {"requestId": 1}})
    assert rows["data"].command == {"vendor_id": "v", "message_id": None, "data": "text"}
    assert rows["none"].command == {"vendor_id": "v", "message_id": None, "data": None}
    assert rows["get"].variables == [
        {
            "is": "VariableResult", "ref": {"is": "VariableRef", "variable": "Interval"}, "status": "Accepted",
            "value": "5", "readonly": False,
        }
    ]  # fmt: skip


async def test_an_outcome_without_its_request_is_kept(projection: Projection):
    settled = CommandSettled(command_id="c9", outcome=Outcome(result=Result.LOST), at=at(3))
    await projection.apply([entry("1-0", settled)])
    row = await projection.command("c9")
    assert row == CommandRow("c9", "CP-1", "Unknown", requested_at=at(3), settled_at=at(3), result="lost")


async def test_notices_and_data_transfers_are_kept_verbatim(projection: Projection):
    facts = (
        NoticeRecorded(
            notice=StationNotice(action="SecurityEventNotification", payload=b'{"type":"Tamper","n":[1,2.50]}'),
            at=at(1),
        ),
        DataReceived(
            report=DataReported(vendor_id="acme", message_id="m", data=b'{"k":"v"}'), status="Accepted", at=at(2)
        ),
        DataReceived(report=DataReported(vendor_id="acme"), status="UnknownVendorId", at=at(3)),
    )
    await projection.apply([entry("1-0", *facts)])
    rows = (await projection.events(EventFilter(), ALL_OLDEST_FIRST)).rows
    assert [(row.kind, row.action, row.data, row.at) for row in rows] == [
        ("notice", "SecurityEventNotification", {"type": "Tamper", "n": [1, 2.5]}, at(1)),
        ("data_transfer", "acme", {"message_id": "m", "status": "Accepted", "data": {"k": "v"}}, at(2)),
        ("data_transfer", "acme", {"message_id": None, "status": "UnknownVendorId", "data": None}, at(3)),
    ]


NASTY = {
    b'{"a":"\\u0000"}': {"a": "\ufffd"},
    b'{"\\u0000":"\\ud800x"}': {"\ufffd": "\ufffdx"},
    b'"\\ud83d\\ude00"': "\U0001f600",
    b'{"n":1e400}': {"n": "inf"},
    b'{"n":NaN}': {"n": "nan"},
    b"{broken": "{broken",
    b"\xff\xfe": "\ufffd\ufffd",
    b"": "",
    b"[" * 5000 + b"]" * 5000: "[" * 5000 + "]" * 5000,
    b"[" * 150 + b"]" * 150: None,
}


@pytest.mark.parametrize("payload", NASTY, ids=range(len(NASTY)))
async def test_json_that_postgresql_refuses_is_mended_not_lost(projection: Projection, payload: bytes):
    await projection.apply([entry("1-0", NoticeRecorded(notice=StationNotice(action="X", payload=payload), at=at(1)))])
    (row,) = (await projection.events(EventFilter(), ALL)).rows
    if NASTY[payload] is not None:
        assert row.data == NASTY[payload]
    assert (await projection.counts(NOW)).bad_entries == 0


async def test_text_that_postgresql_refuses_is_mended_not_lost(projection: Projection):
    opened = TransactionOpened(transaction_id="a\0b", started_at=at(1), received_at=at(1), token=Token(value="t\0"))
    facts = (
        opened,
        readings(2, 5.0, transaction_id="a\0b"),
        session_started(3, session="s\0"),
        session_ended(4, session="s\0"),
    )
    await projection.apply([entry("1-0", *facts, station="C\0P")])
    await projection.apply([StreamEntry("messages", "1-0", [message(1, frame='[2,"\0"]')])])
    detail = await projection.transaction("C\ufffdP", "a\ufffdb")
    assert detail is not None
    assert (detail.transaction.token, len(detail.meter_values)) == ("t\ufffd", 1)
    assert await projection.connected_sessions() == []
    assert (await projection.messages(MessageFilter(), ALL)).rows[0].frame == '[2,"\ufffd"]'


async def test_undecodable_and_foreign_entries_are_put_aside_and_the_rest_goes_on(projection: Projection):
    foreign = JournalEntry(tenant="other", recorded_at=NOW, records=())
    await projection.apply(
        [
            StreamEntry("s1", "1-0", BadEntry("1-0", b"\xff\0", "no msgpack")),
            StreamEntry("s1", "2-0", foreign),
            entry("3-0", readings(1, 1.0)),
        ]
    )
    assert (await projection.counts(NOW)).bad_entries == 2
    assert await projection.positions() == {"s1": "3-0"}
    assert len((await projection.meter_values(MeterValueFilter(station="CP-1"), ALL)).rows) == 1


async def test_counts_tell_how_it_stands(projection: Projection):
    yesterday = NOW - timedelta(days=1)
    old = TransactionOpened(transaction_id="old", started_at=yesterday, received_at=yesterday)
    old_end = TransactionEnded(transaction_id="old", ended_at=yesterday, received_at=yesterday, energy_wh=99.0)
    await projection.apply(
        [
            *story_16(),
            *story_21()[:2],
            entry("1-0", old, old_end, station="CP-3", stream="s3"),
            entry(
                "2-0",
                session_started(1),
                requested("c", ResetStation(kind=ResetKind.IMMEDIATE)),
                station="CP-4",
                stream="s3",
            ),
            operator_entry("1-0", TokenSaved(record=TokenRecord(token=TAG), at=NOW)),
        ]
    )
    counts = await projection.counts(NOW + timedelta(hours=1))
    assert (counts.stations, counts.stations_connected) == (4, 2)
    assert counts.stations_connected_by_version == {"1.6": 1, "2.1": 1}
    assert counts.connectors_by_status == {"Available": 1}
    assert (counts.transactions_open, counts.transactions_started_today, counts.transactions_ended_today) == (1, 2, 1)
    assert (counts.energy_ended_today_wh, counts.energy_open_wh) == (1500.0, 0.0)
    assert (counts.tokens, counts.commands_open, counts.bad_entries) == (1, 1, 0)


async def test_what_nobody_knows_is_none(projection: Projection):
    assert await projection.station("x") is None
    assert await projection.transaction("x", "y") is None
    assert await projection.command("x") is None
    assert await projection.connectors("x") == ()
    assert await projection.station("x\0") is None


async def test_stations_can_be_filtered(projection: Projection):
    record = StationRecord(station="Gate_9", note="50% off")
    await projection.apply([*story_16(), *story_21(), operator_entry("1-0", StationRegistered(record=record, at=NOW))])

    async def found(**wanted) -> list[str]:
        return [row.station for row in (await projection.stations(StationFilter(**wanted), ALL)).rows]

    assert await found() == ["CP-1", "EVSE-21", "Gate_9"]
    assert await found(connected=True) == ["EVSE-21"]
    assert await found(registered=True) == ["Gate_9"]
    assert await found(version="1.6") == ["CP-1"]
    assert await found(vendor="ACME", connected=True) == []
    assert await found(search="acm") == ["CP-1"]
    assert await found(search="E_9") == ["Gate_9"]
    assert await found(search="0%") == ["Gate_9"]
    assert await found(search="%") == ["Gate_9"]
    assert await found(search="\0") == []


async def test_transactions_can_be_filtered(projection: Projection):
    await projection.apply([*story_16(), *story_21()[:2]])

    async def found(**wanted) -> list[str]:
        rows = (await projection.transactions(TransactionFilter(**wanted), ALL)).rows
        return [row.transaction_id for row in rows]

    assert await found() == ["7", "b5e9a1d0-tx"]
    assert await found(open=True) == ["b5e9a1d0-tx"]
    assert await found(open=False, station="CP-1", evse=1) == ["7"]
    assert await found(token="04a1B2c3") == ["7"]
    assert await found(since=theirs(20)) == ["7"]
    assert await found(until=theirs(20)) == ["b5e9a1d0-tx"]
    assert await found(changed_since=at(20)) == ["7", "b5e9a1d0-tx"]
    assert await found(changed_since=at(21)) == ["7"]


async def test_meter_values_can_be_filtered(projection: Projection):
    await projection.apply(story_16())

    async def found(**wanted) -> list[float | None]:
        rows = (await projection.meter_values(MeterValueFilter(**{"station": "CP-1"} | wanted), ALL)).rows
        return [row.value for row in rows]

    assert await found() == [2100.0, 1400.0]
    assert await found(transaction_id="7", evse=1, measurand="Energy.Active.Import.Register") == [2100.0, 1400.0]
    assert await found(since=at(140)) == [2100.0]
    assert await found(until=at(140)) == [1400.0]
    assert await found(measurand="Voltage") == []
    assert await found(station="CP-2") == []
