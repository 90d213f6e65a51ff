"""Bad input through a real socket: each fault gets the code of its version, is named, counted and logged.

The socket stays open. Codes: 1.6J section 4.2.3, errata 5.1 and 5.2; part 4 of 2.0.1 (table 8) and 2.1 (table 9).
"""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import ConnectionClosed

from engine.model.commands import CommandRequest, CommandSettled
from engine.model.data_transfer import DataReceived
from engine.model.notices import RawCommand
from engine.ocpp.errors import ErrorCode, code_text
from engine.ocpp.versions import Version
from ingress import metrics
from tests.conformance.door import Door
from tests.conformance.samples.every import BOOT

DEEP = "[" * 150 + "]" * 150
LONG = "x" * 40
FORMATION, FORMAT, RPC = "FormationViolation", "FormatViolation", "RpcFrameworkError"
TYPE, PROPERTY = "TypeConstraintViolation", "PropertyConstraintViolation"
ONE_R, TWO_R, INCOMPLETE = "OccurenceConstraintViolation", "OccurrenceConstraintViolation", "ProtocolError"

NO_FRAME = {
    # name: (frame, words of the description)
    "nothing at all": ("", "JSON"),
    "no JSON": ("{not json", "JSON"),
    "no array": ('{"a":1}', "array"),
    "an empty array": ("[]", "array"),
    "deep nesting": (f'[2,"deep","DataTransfer",{{"vendorId":"v","data":{DEEP}}}]', "100 levels"),
    "deeper than any parser goes": ("[" * 100_000, "JSON"),
    "NaN": ('[2,"n","DataTransfer",{"vendorId":"v","data":NaN}]', "JSON"),
    "an infinite number": ('[2,"n","DataTransfer",{"vendorId":"v","data":1e999}]', "JSON"),
    "half a character": ('[2,"n","DataTransfer",{"vendorId":"\\ud800"}]', "JSON"),
    "no message id": ("[2]", "message id"),
    "null for a message id": ('[2,null,"Heartbeat",{}]', "message id"),
    "an empty message id": ('[2,"","Heartbeat",{}]', "message id"),
    "a message id far too long": (f'[2,"{LONG * 10}","Heartbeat",{{}}]', "36 are allowed"),
    "two at once": ('[2,"a","Heartbeat",{}][2,"b","Heartbeat",{}]', "JSON"),
}
"""2.x: RpcFrameworkError for message id -1. 1.6: nothing, for there is no id."""

SILENT = {
    "an unknown message type": '[7,"id","Heartbeat",{}]',
    "a message type in quotes": '["2","id","Heartbeat",{}]',
    "an answer to nothing": '[3,"never",{}]',
    "an error about nothing": '[4,"never","Nonsense"]',
    "an answer that is no object": '[3,"never",7]',
}
"""On every version: nothing (1.6J section 4.1.3, 2.1 part 4 section 4.4)."""

OF_A_CALL = {
    # name: (frame, id, code of 1.6, code of 2.x, words of the description)
    "a message id too long": (f'[2,"{LONG}","Heartbeat",{{}}]', LONG, FORMATION, RPC, "40 characters"),
    "no action": ('[2,"id"]', "id", FORMATION, RPC, "action"),
    "an action that is a number": ('[2,"id",5,{}]', "id", FORMATION, RPC, "action"),
    "an element too many": ('[2,"id","Heartbeat",{},{}]', "id", FORMATION, RPC, "5 elements"),
    "a payload that is a list": ('[2,"id","Heartbeat",[1]]', "id", FORMATION, FORMAT, "payload"),
    "a payload that is a number": ('[2,"id","Heartbeat",5]', "id", FORMATION, FORMAT, "payload"),
    "a numeric id, bad payload": ('[2,77,"Heartbeat",5]', 77, FORMATION, FORMAT, "payload"),
    "an unknown action": ('[2,"id","MakeCoffee",{}]', "id", "NotImplemented", "NotImplemented", "MakeCoffee"),
    "an action in the wrong case": ('[2,"id","heartbeat",{}]', "id", "NotImplemented", "NotImplemented", "heartbeat"),
    "an action of the CSMS": ('[2,"id","ClearCache",{}]', "id", "NotSupported", "NotSupported", "ClearCache"),
    "a field missing": ('[2,"id","DataTransfer",{}]', "id", INCOMPLETE, TWO_R, "vendorId"),
    "a field too many": ('[2,"id","DataTransfer",{"vendorId":"v","more":1}]', "id", FORMATION, FORMAT, "more"),
    "a text too long": (f'[2,"id","DataTransfer",{{"vendorId":"{LONG * 10}"}}]', "id", TYPE, TYPE, "vendorId"),
    "a wrong type": ('[2,"id","DataTransfer",{"vendorId":null}]', "id", TYPE, TYPE, "vendorId"),
    "a word that is none": (
        '[2,"id","FirmwareStatusNotification",{"status":"Nonsense"}]',
        "id",
        PROPERTY,
        PROPERTY,
        "status",
    ),
    "a key twice, the last of them wrong": (
        '[2,"id","DataTransfer",{"vendorId":"v","vendorId":null}]',
        "id",
        TYPE,
        TYPE,
        "vendorId",
    ),
}

OF_LISTS = {
    Version.V201: ('[2,"id","NotifyEvent",{"generatedAt":"2026-01-01T00:00:00Z","seqNo":0,"eventData":[]}]', TWO_R),
    Version.V21: ('[2,"id","NotifyEvent",{"generatedAt":"2026-01-01T00:00:00Z","seqNo":0,"eventData":[]}]', TWO_R),
}
"""1.6 has no list with a least or greatest length in what stations send."""


class Talker:
    """A booted station; `told` says something and gives what came before the answer to the next Heartbeat."""

    def __init__(self, socket):
        self._socket = socket
        self._beats = 0

    async def boot(self, version):
        await self._socket.send(json.dumps([2, "boot", "BootNotification", BOOT[version]]))
        assert json.loads(await self._socket.recv())[0] == 3

    async def told(self, frame):
        self._beats += 1
        beat = f"beat-{self._beats}"
        await self._socket.send(frame)
        await self._socket.send(json.dumps([2, beat, "Heartbeat", {}]))
        answers = [json.loads(await self._socket.recv())]
        while answers[-1][1] != beat:
            answers.append(json.loads(await self._socket.recv()))
        assert answers[-1][0] == 3, "the connection goes on"
        return answers[:-1]


def malformed(version):
    return metrics.messages.labels(version.value, "unknown", "malformed")._value.get()


def assert_an_error(frame, message_id, code, word):
    assert frame[:3] == [4, message_id, code]
    assert word.lower() in frame[3].lower(), frame
    assert len(frame[3]) <= 255
    assert (len(frame), frame[4]) == (5, {})


@pytest.mark.parametrize("version", Version)
async def test_what_is_no_frame_is_told_so_where_the_version_has_words_for_it(version):
    async with Door() as door, door.connect(version=version.value) as socket:
        station = Talker(socket)
        await station.boot(version)
        for name, (frame, word) in NO_FRAME.items():
            answers = await station.told(frame)
            if version is Version.V16:
                assert (name, answers) == (name, [])
            else:
                assert len(answers) == 1, name
                assert_an_error(answers[0], "-1", RPC, word)
        logged = [message.frame for message in door.log.messages if message.kind == "invalid"]
        assert len(logged) == len(NO_FRAME)


@pytest.mark.parametrize("version", Version)
async def test_what_wants_no_answer_gets_none(version):
    async with Door() as door, door.connect(version=version.value) as socket:
        station = Talker(socket)
        await station.boot(version)
        for name, frame in SILENT.items():
            assert (name, await station.told(frame)) == (name, [])


@pytest.mark.parametrize("version", Version)
async def test_a_faulty_call_gets_the_code_of_its_version_and_the_fault_is_named(version):
    async with Door() as door, door.connect(version=version.value) as socket:
        station = Talker(socket)
        await station.boot(version)
        for name, (frame, message_id, code_16, code_2, word) in OF_A_CALL.items():
            answers = await station.told(frame)
            assert len(answers) == 1, name
            assert_an_error(answers[0], message_id, code_16 if version is Version.V16 else code_2, word)
        if version in OF_LISTS:
            frame, code = OF_LISTS[version]
            assert_an_error((await station.told(frame))[0], "id", code, "eventData")
        refused = [message for message in door.log.messages if message.direction == "out" and message.outcome != "ok"]
        assert len(refused) == len(OF_A_CALL) + (version in OF_LISTS)


async def test_a_repeated_list_is_spelled_with_one_r_on_1_6():
    """Errata 5.2: `OccurenceConstraintViolation` will not be fixed. No schema of a 1.6 station's call can break it."""
    assert code_text(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, Version.V16) == ONE_R
    assert code_text(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, Version.V201) == TWO_R


async def test_a_key_twice_counts_as_it_was_said_last():
    async with Door() as door, door.connect(version="2.1") as socket:
        station = Talker(socket)
        await station.boot(Version.V21)
        [answer] = await station.told('[2,"id","DataTransfer",{"vendorId":"first","vendorId":"last"}]')
        assert answer == [3, "id", {"status": "UnknownVendorId"}]
        [recorded] = door.hosted.of(DataReceived)
        assert recorded.report.vendor_id == "last"


async def test_huge_numbers_are_kept_as_they_can_be_and_never_break_anything():
    async with Door() as door, door.connect(version="2.1") as socket:
        station = Talker(socket)
        await station.boot(Version.V21)
        for number in ("18446744073709551616", "9" * 400, "-" + "9" * 30, "1e308", "123456789.123456789e-300"):
            answers = await station.told(f'[2,"id","DataTransfer",{{"vendorId":"v","data":{number}}}]')
            assert len(answers) == 1
            assert answers[0][0] in (3, 4), number


@pytest.mark.parametrize("version", Version)
async def test_an_answer_that_its_schema_refuses_ends_the_command_and_2_1_is_told(version):
    async with Door() as door, door.connect(version=version.value, path="/ocpp/CP-1") as socket:
        station = Talker(socket)
        await station.boot(version)
        now = datetime.now(UTC)
        request = CommandRequest("c-1", "CP-1", RawCommand("ClearCache", b"{}"), now, now + timedelta(seconds=30))
        await door.command(request)
        call = json.loads(await socket.recv())
        answers = await station.told(json.dumps([3, call[1], {"status": "Perhaps"}]))
        if version is Version.V21:
            assert answers[0][:3] == [5, call[1], PROPERTY]
            assert "status" in answers[0][3]
        else:
            assert answers == []
        [settled] = door.hosted.of(CommandSettled)
        assert settled.outcome.result == "failed"


@pytest.mark.parametrize("version", Version)
async def test_what_is_malformed_is_counted(version):
    async with Door() as door, door.connect(version=version.value) as socket:
        station = Talker(socket)
        await station.boot(version)
        before = malformed(version)
        for frame in ("nonsense", "[]", '[2,"id",5,{}]'):
            await station.told(frame)
        door.server._counts.flush()
        assert malformed(version) - before == 3


async def test_a_message_that_is_too_large_is_the_one_thing_that_closes_the_socket_beside_what_is_no_utf_8():
    async with Door(message_bytes_max=100_000) as door:
        async with door.connect() as socket:
            with suppress(ConnectionClosed):
                await socket.send("x" * 200_000)
            await socket.wait_closed()
            assert socket.close_code == 1009
        async with door.connect() as socket:
            await socket.send(b"\xff\xfe", text=True)
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1007
