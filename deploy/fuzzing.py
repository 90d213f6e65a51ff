"""The fuzzing of everything between a frame and its answer, in one process: `narke fuzz`.

    loadtests.fuzz draws a frame -> rpc.Session -> catalogue -> Batch as bytes -> actors.turn -> answer -> rpc.Session

Nothing is doubled but the journal, which forgets at once. What a station may not cause: an exception, an error logged,
a call without its one answer, an answer that is no documented frame, memory that grows. Time is virtual, chance a seed.
"""

import asyncio
import gc
import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 (a shell: its chance is a seed)
from typing import Any, Final, assert_never

import msgspec
import orjson
import psutil
import structlog

from actors.transaction_numbers import TransactionNumbers
from actors.turn import Item, Turns
from deploy.ocpp_page import MEANING_OF_CODE
from engine.model.authorization import Token, TokenRecord, TokenStatus, TransactionUse
from engine.model.codec import decode_batch, decode_batch_reply, decode_journal_entry, encode
from engine.model.commands import CommandReplied, CommandRequest, Outcome
from engine.model.envelopes import (
    Answered,
    Batch,
    BatchReply,
    Delivery,
    Dispatch,
    Done,
    Failed,
    Refused,
    Report,
    Reported,
    Verdict,
)
from engine.model.facts import JournalEntry
from engine.model.ids import DEFAULT_TENANT, Unit
from engine.model.messages import LoggedMessage
from engine.model.notices import RawCommand
from engine.model.provisioning import Registration
from engine.model.sessions import SessionOpened
from engine.model.stations import StationRecord
from engine.model.tariff_and_cost import TariffBook
from engine.ocpp import catalogue, rpc
from engine.ocpp.errors import DESCRIPTION_LENGTH_MAX, ErrorCode, QueueFull, RemoteError, code_text
from engine.ocpp.frames import CALL_ERROR, CALL_RESULT, CALL_RESULT_ERROR
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version
from engine.ports import Fetched, JournalUnavailable, UnitCommit
from engine.station.policy import Policy
from ingress.ocpp.recorder import Recorder
from loadtests.fuzz import official
from loadtests.fuzz.frames import Corpus, Frames, OpenCall
from loadtests.fuzz.payloads import payload

STATIONS: Final = 30
"""A third of each version; one in ten is not accepted."""
FAILURES_MAX: Final = 20
"""A run with so many ends early."""
GROWTH_KIB_MAX: Final = 64 * 1024
"""Of resident memory, from when a tenth of the frames is through to the end. Without a leak it is under 25 MiB."""
_IN_MEMORY_MAX: Final = 20
"""Stations that the actor keeps in memory: fewer than there are, so that states rest and come back all the time."""
_BEGIN: Final = datetime(2026, 6, 1, tzinfo=UTC)
_COMMAND_CHANCE: Final = 0.2
_UNIT = Unit(0)
_SILENCE = "no answer"
_RESULT = "CALLRESULT"


class Failure(msgspec.Struct, frozen=True):
    """What went wrong. `frame`: how many were drawn before; `mutation`: what was done to it; `text`: the frame."""

    frame: int
    version: str
    mutation: str
    what: str
    text: str


class Result(msgspec.Struct):
    """What came of a run. `answers`: (version, what was answered) -> frames; `mutations`: name -> frames."""

    seed: int
    frames: int = 0
    cpu_s: float = 0.0
    answers: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    mutations: Counter[str] = msgspec.field(default_factory=Counter)
    failures: list[Failure] = msgspec.field(default_factory=list)
    kib_warm: int = 0
    kib_end: int = 0

    @property
    def leaks(self) -> bool:
        """Whether memory grew more than it may."""
        return self.kib_end - self.kib_warm > GROWTH_KIB_MAX


def fuzz(frames: int, seed: int, on_round: Callable[[int], None] = lambda _frames: None) -> Result:
    """Draws so many frames and looks at what is answered.

    Args:
        frames: How many.
        seed: Names the run; the same seed draws the same frames.
        on_round: Hears of how many are through, for progress.
    """
    return asyncio.run(_Run(frames, seed).run(on_round))


class ForgetfulJournal:
    """`engine.ports.Journal` that keeps states and forgets facts; first it makes sure that they can be read again."""

    def __init__(self, records: dict[str, StationRecord], tokens: dict[str, TokenRecord]) -> None:
        self._states: dict[str, bytes] = {}
        self._records = records
        self._tokens = tokens
        self._numbers = 0

    async def claim(self, unit: Unit, epoch: int) -> None:
        """It is theirs."""

    async def next_epoch(self) -> int:
        """There is but one owner."""
        return 1

    async def fetch(
        self, states: Sequence[tuple[Unit, str]], tokens: Sequence[str], stations: Sequence[str]
    ) -> Fetched:
        """Of what is known."""
        return Fetched(
            states={name: self._states[name] for _, name in states if name in self._states},
            tokens={key: self._tokens[key] for key in tokens if key in self._tokens},
            stations={name: self._records[name] for name in stations if name in self._records},
        )

    async def uses(self, names: Sequence[str]) -> Mapping[str, tuple[TransactionUse, ...]]:
        """Nobody charges anywhere."""
        return dict.fromkeys(names, ())

    async def planned(self, stations: Sequence[str]) -> frozenset[str]:
        """Every other one belongs to a site."""
        return frozenset(station for number, station in enumerate(stations) if number % 2)

    async def tariffs(self) -> TariffBook:
        """There are none."""
        return TariffBook()

    async def commit(self, commits: Sequence[UnitCommit], now: datetime) -> Sequence[JournalUnavailable | None]:
        """As msgpack there and back, as the projector will read it."""
        for commit in commits:
            entry = JournalEntry(tenant=DEFAULT_TENANT, recorded_at=now, records=commit.records)
            if decode_journal_entry(encode(entry)) != entry:
                raise AssertionError(f"an entry is not read as it was written: {entry}")
            self._states.update(commit.states)
        return [None] * len(commits)

    async def reserve_transaction_numbers(self, count: int) -> range:
        """The next ones."""
        first = self._numbers + 1
        self._numbers += count
        return range(first, first + count)


class _Log:
    """A message log that keeps nothing, and a processor of structlog that keeps what must not happen."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def write(self, message: LoggedMessage) -> None:
        """One frame, redacted; it must be such that it can travel."""
        encode(message)

    def __call__(self, _logger: Any, name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A processor of structlog."""
        if name in {"error", "critical", "exception"}:
            trace = traceback.format_exc() if line.pop("exc_info", False) else ""
            self.errors.append(f"logged: {dict(line)}\n{trace}")
        raise structlog.DropEvent


class _Station:
    """One connection and what waits in it."""

    def __init__(self, name: str, corpus: Corpus, seed: int, log: _Log) -> None:
        self.name = name
        self.version = version = Version(corpus.version)
        self.session = f"fuzz:1:{name}"
        self.rpc = rpc.Session(version)
        self.chance = Random(f"{seed} {name}")  # noqa: S311 (no secret hangs on it)
        starts = [row.name for row in catalogue.actions(version).values() if row.from_station is not None]
        self.frames = Frames(corpus, self.chance, starts)
        self.recorder = Recorder(name, self.session, log)
        self.waiting: dict[str, str] = {}
        """Action by message id of the calls without an answer yet."""
        self.ours: list[OpenCall] = []
        """Our calls, the latest last."""
        self.said: list[str] = []
        """What the station heard since the last frame."""
        self.mutation = ""
        self.text = ""


class _Run:
    def __init__(self, frames: int, seed: int) -> None:
        self._result = Result(seed)
        self._wanted = frames
        self._log = _Log()
        self._now = _BEGIN
        self._chance = Random(seed)  # noqa: S311
        corpora = [Corpus(version.value) for version in Version]
        self._stations = {
            name: _Station(name, corpora[number % len(corpora)], seed, self._log)
            for number, name in enumerate(f"FUZZ-{number}" for number in range(STATIONS))
        }
        registrations = {8: Registration.PENDING, 18: Registration.REJECTED, 28: Registration.PENDING}
        records = {
            name: StationRecord(station=name, registration=registrations.get(number, Registration.ACCEPTED))
            for number, name in enumerate(self._stations)
        }
        tokens = [TokenRecord(token=Token(value=value)) for value in ("0", "-1", "null", "true")]
        tokens.append(TokenRecord(token=Token(value="{}"), blocked=True, group="G"))
        journal = ForgetfulJournal(records, {record.token.key: record for record in tokens})
        policy = Policy(unknown_tokens=TokenStatus.INVALID, data_vendors_accepted=frozenset({"0", "v"}))
        self._turns = Turns(journal, policy, TransactionNumbers(journal), stations_max=_IN_MEMORY_MAX)
        self._units: dict[str, Unit] = dict.fromkeys(self._stations, _UNIT)
        self._outcomes = 0

    async def run(self, on_round: Callable[[int], None]) -> Result:
        """All rounds: each station says one thing, the actor decides all of them in one turn."""
        result = self._result
        process = psutil.Process()
        began = time.process_time()
        with _listening(self._log):
            await self._open()
            while result.frames < self._wanted and len(result.failures) < FAILURES_MAX:
                await self._round()
                if not result.kib_warm and result.frames * 10 >= self._wanted:
                    result.kib_warm = _resident_kib(process)
                on_round(result.frames)
        result.cpu_s = time.process_time() - began
        result.kib_end = _resident_kib(process)
        return result

    async def _open(self) -> None:
        await self._decide(
            [
                Delivery(
                    station.name,
                    self._now,
                    SessionOpened(
                        session=station.session,
                        ingress="fuzz",
                        version=station.version.value,
                        address="127.0.0.1:1",
                        at=self._now,
                    ),
                )
                for station in self._stations.values()
            ]
        )

    async def _round(self) -> None:
        self._now += timedelta(seconds=self._chance.choice((0.01, 1, 60)))
        deliveries: list[Delivery] = []
        for station in list(self._stations.values())[: self._wanted - self._result.frames]:
            deliveries += self._hear(station)
            self._result.frames += 1
        await self._decide(deliveries)
        for station in self._stations.values():
            self._judge(station)
        await self._command()

    # A frame on its way in

    def _hear(self, station: _Station) -> list[Delivery]:
        """What the actor is to decide because of the station's next frame."""
        drawn = station.frames.draw(station.ours[-1] if station.ours else None)
        self._result.mutations[drawn.mutation] += 1
        station.mutation, station.text = drawn.mutation, drawn.data.decode(errors="backslashreplace")
        try:
            text: str | bytes = drawn.data.decode()
        except UnicodeDecodeError:  # the connection closes such a frame; the core must stand it all the same
            text = drawn.data
        deliveries: list[Delivery] = []
        try:
            events = station.rpc.receive(text, self._monotonic())
            if isinstance(text, str):
                readable = not isinstance(events[-1], rpc.Malformed)
                station.recorder.received(text, self._now, readable=readable)
            for event in events:
                deliveries += self._taken(station, event)
        except Exception:  # noqa: BLE001 (that there is none is what is tested)
            self._fail(station, traceback.format_exc())
        return deliveries

    def _taken(self, station: _Station, event: rpc.Event) -> list[Delivery]:
        match event:
            case rpc.CallReceived() | rpc.SendReceived():
                return self._asked(station, event)
            case rpc.ReplyReceived():
                return self._replied(station, event.command_id, self._outcome(station, event))
            case rpc.ErrorReceived():
                outcome = catalogue.outcome_of_error(event.code, event.description, event.details)
                return self._replied(station, event.command_id, outcome)
            case rpc.Malformed():
                station.said += [event.reply] if event.reply is not None else []
            case rpc.AnswerRefused() | rpc.StrayAnswer() | rpc.Repeated():
                pass
            case _:
                assert_never(event)
        return []

    def _asked(self, station: _Station, event: rpc.CallReceived | rpc.SendReceived) -> list[Delivery]:
        is_call = isinstance(event, rpc.CallReceived)
        if is_call:
            station.waiting[event.message_id] = event.action
        report = _understood(station.version, event, is_call=is_call)
        if isinstance(report, RemoteError):
            station.said += station.rpc.refuse(event.message_id, report) if is_call else []
            return []
        reported = Reported(station.session, event.message_id if is_call else None, event.digest, report)
        return [Delivery(station.name, self._now, reported)]

    def _outcome(self, station: _Station, event: rpc.ReplyReceived) -> Outcome:
        try:
            return catalogue.outcome_of(station.version, event.action, event.payload)
        except RemoteError as error:
            station.said += station.rpc.reject_result(event.message_id, error)
            return catalogue.outcome_of_error(error.code, error.description, {})

    def _replied(self, station: _Station, command_id: str, outcome: Outcome) -> list[Delivery]:
        station.ours = station.ours[:-1]
        station.said += self._own(station, station.rpc.pump(self._monotonic()))
        self._outcomes += 1
        return [Delivery(station.name, self._now, CommandReplied(command_id, outcome))]

    # The turn

    async def _decide(self, deliveries: list[Delivery]) -> None:
        """Over the wire to the actor, decided, and over the wire back."""
        batch = decode_batch(encode(Batch("fuzz", ((_UNIT, 1),), tuple(deliveries))))
        items = [Item(each.station, _UNIT, 1, each.event, each.received_at) for each in batch.deliveries]
        result = await self._turns.take(items, self._now)
        verdicts = decode_batch_reply(
            encode(BatchReply(tuple(item.verdict for item in items if item.verdict)))
        ).verdicts
        for delivery, verdict in zip(deliveries, verdicts, strict=True):
            station = self._stations[delivery.station]
            try:
                self._answer(station, delivery, verdict)
            except Exception:  # noqa: BLE001 (likewise)
                self._fail(station, traceback.format_exc())
        for _, downlink in result.downlinks:
            if isinstance(downlink, Dispatch):
                self._dispatch(self._stations[downlink.station], downlink)
        for error in self._log.errors:
            self._result.failures.append(Failure(self._result.frames, "", "", error, ""))
        self._log.errors.clear()

    def _answer(self, station: _Station, delivery: Delivery, verdict: Verdict) -> None:
        event = delivery.event
        if not isinstance(event, Reported):
            return
        match verdict:
            case Answered(answer) if event.message_id is not None:
                action = station.waiting[event.message_id]
                said = catalogue.answer_payload(station.version, action, answer)
                station.said += station.rpc.answer(event.message_id, said)
            case Refused(reason) if event.message_id is not None:
                station.said += station.rpc.refuse(event.message_id, RemoteError(ErrorCode.SECURITY_ERROR, reason))
            case Answered() | Refused() | Done() if event.message_id is None:
                pass
            case Failed(reason):
                self._fail(station, f"{type(event.report).__name__}: {reason}")
            case _:
                self._fail(station, f"{type(event.report).__name__} was decided with {verdict}")

    # Ours

    async def _command(self) -> None:
        """Now and then the operator wants something, too."""
        for station in self._stations.values():
            for overdue in station.rpc.due(self._monotonic()):
                station.ours = [call for call in station.ours if call.message_id != overdue.message_id]
            station.said += self._own(station, station.rpc.pump(self._monotonic()))
        if self._chance.random() > _COMMAND_CHANCE:
            return
        station = self._chance.choice([*self._stations.values()])
        action = self._chance.choice([row.name for row in catalogue.actions(station.version).values() if row.from_csms])
        asked = orjson.dumps(payload(station.version.value, official.REQUEST, action, self._chance))
        request = CommandRequest(
            command_id=f"c-{self._result.frames}",
            station=station.name,
            command=RawCommand(action=action, payload=asked),
            requested_at=self._now,
            deadline_at=self._now + timedelta(seconds=120),
        )
        item = Item(station.name, _UNIT, 1, request, self._now)
        for _, downlink in (await self._turns.take([item], self._now)).downlinks:
            if isinstance(downlink, Dispatch):
                self._dispatch(station, downlink)

    def _dispatch(self, station: _Station, dispatch: Dispatch) -> None:
        try:
            action, said = catalogue.command_call(station.version, dispatch.command)
            texts = station.rpc.call(dispatch.command_id, dispatch.command_id, action, said, self._monotonic(), 60)
        except (NotExpressible, QueueFull):
            return
        self._own(station, texts)

    def _own(self, station: _Station, texts: list[str]) -> list[str]:
        """Calls of ours that leave; they are no answers. Remembered, so that the station can answer them."""
        for text in texts:
            station.recorder.sent(text, self._now)
            frame = orjson.loads(text)
            station.ours = [*station.ours[-3:], OpenCall(frame[1], frame[2])]
        return []

    # What was answered

    def _judge(self, station: _Station) -> None:
        """Each thing that the station heard must be a frame that is documented; and no call may be left waiting."""
        said, station.said = station.said, []
        told = False
        for text in said:
            station.recorder.sent(text, self._now)
            what = self._kind_of(station, text)
            self._result.answers[station.version.value, what] += 1
            told = True
        if not told:
            self._result.answers[station.version.value, _SILENCE] += 1
        if station.waiting:
            self._fail(station, f"calls without an answer: {station.waiting}")
            station.waiting.clear()

    def _kind_of(self, station: _Station, text: str) -> str:
        frame = orjson.loads(text)
        message_type, message_id, *rest = frame
        station.waiting.pop(str(message_id), None)
        if message_type == CALL_RESULT and len(frame) == 3 and isinstance(rest[0], dict):
            return _RESULT
        if message_type not in (CALL_ERROR, CALL_RESULT_ERROR) or len(frame) != 5:
            self._fail(station, f"answered with no documented frame: {text}")
            return "?"
        code, description, details = rest
        if code not in documented_codes(station.version) or not isinstance(details, dict):
            self._fail(station, f"answered with an undocumented error: {text}")
        if not 0 < len(description) <= DESCRIPTION_LENGTH_MAX:
            self._fail(station, f"answered without a description, or with one too long: {text}")
        prefix = "" if message_type == CALL_ERROR else "CALLRESULTERROR "
        return prefix + str(code)

    def _fail(self, station: _Station, what: str) -> None:
        frame, text = self._result.frames, station.text[:2_000]
        self._result.failures.append(Failure(frame, station.version.value, station.mutation, what, text))

    def _monotonic(self) -> float:
        return (self._now - _BEGIN).total_seconds()


def _understood(version: Version, event: rpc.CallReceived | rpc.SendReceived, *, is_call: bool) -> Report | RemoteError:
    """What a CALL or SEND means, or what is wrong with it."""
    try:
        report = catalogue.understand(version, event.action, event.payload).report
    except RemoteError as error:
        return error
    if catalogue.actions(version)[event.action].is_send is is_call:
        return RemoteError(ErrorCode.PROTOCOL_ERROR, "a CALL where a SEND belongs, or the other way about")
    return report


def documented_codes(version: Version) -> frozenset[str]:
    """The error codes that may be answered, but for InternalError: that tells of a bug of ours."""
    return frozenset(code_text(code, version) for code in MEANING_OF_CODE if code is not ErrorCode.INTERNAL_ERROR)


@contextmanager
def _listening(log: _Log) -> Iterator[None]:
    """What the product logs goes to the log."""
    before = structlog.get_config()
    structlog.configure(processors=[log], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        yield
    finally:
        structlog.configure(**before)


def _resident_kib(process: psutil.Process) -> int:
    gc.collect()
    return int(process.memory_info().rss // 1024)
