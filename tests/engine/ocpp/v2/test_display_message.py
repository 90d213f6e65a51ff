"""Display messages in both versions."""

from datetime import UTC, datetime

import pytest

from engine.model.commands import Result
from engine.model.display_message import (
    ClearDisplayMessage,
    DisplayMessage,
    DisplayMessagesReported,
    DisplayText,
    GetDisplayMessages,
    MessageFormat,
    MessagePriority,
    MessageState,
    SetDisplayMessage,
)
from engine.model.ids import EvseRef
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import VariableRef
from engine.ocpp import catalogue
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])
V21 = Version.V21
AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
ISO = "2026-05-01T10:00:00.000Z"
FULL = DisplayMessage(
    3,
    DisplayText("Hi", MessageFormat.ASCII, "en"),
    MessagePriority.IN_FRONT,
    MessageState.CHARGING,
    AT,
    AT,
    "tx",
    VariableRef("", "Display", "main", evse=EvseRef(1)),
)
INFO = {
    "id": 3,
    "priority": "InFront",
    "message": {"format": "ASCII", "content": "Hi", "language": "en"},
    "state": "Charging",
    "startDateTime": ISO,
    "endDateTime": ISO,
    "transactionId": "tx",
    "display": {"name": "Display", "instance": "main", "evse": {"id": 1}},
}


def shown(**more):
    return SetDisplayMessage(DisplayMessage(1, **({"text": DisplayText("Hi")} | more)))


@BOTH
def test_a_message_is_set_with_all_it_has(version):
    assert catalogue.command_call(version, SetDisplayMessage(FULL)) == ("SetDisplayMessage", {"message": INFO})


@BOTH
def test_O01_FR_04_what_is_not_given_is_left_out(version):
    payload = catalogue.command_call(version, shown())[1]["message"]
    assert payload == {"id": 1, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hi"}}


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (shown(others=(DisplayText("Hallo", language="de"),)), "messageExtra"),
        (shown(state=MessageState.DISCHARGING), "state"),
        (shown(text=DisplayText("x", MessageFormat.QRCODE)), "message"),
    ],
)
def test_several_languages_and_some_words_are_2_1s(command, field):
    assert field in catalogue.command_call(V21, command)[1]["message"]
    with pytest.raises(NotExpressible, match=r"2\.0\.1"):
        catalogue.command_call(Version.V201, command)


@BOTH
def test_messages_are_asked_for_and_cleared(version):
    command = GetDisplayMessages((1, 2), MessagePriority.ALWAYS_FRONT, MessageState.IDLE, request_id=9)
    expected = {"requestId": 9, "id": [1, 2], "priority": "AlwaysFront", "state": "Idle"}
    assert catalogue.command_call(version, command) == ("GetDisplayMessages", expected)
    assert catalogue.command_call(version, GetDisplayMessages(request_id=9))[1] == {"requestId": 9}
    assert catalogue.command_call(version, ClearDisplayMessage(4)) == ("ClearDisplayMessage", {"id": 4})


@BOTH
def test_a_part_of_a_report_is_understood(version):
    payload = {"requestId": 9, "tbc": True, "messageInfo": [INFO]}
    report = catalogue.understand(version, "NotifyDisplayMessages", payload).report
    assert report == DisplayMessagesReported(9, (FULL,), more=True)
    bare = catalogue.understand(version, "NotifyDisplayMessages", {"requestId": 9}).report
    assert bare == DisplayMessagesReported(9)
    assert catalogue.answer_payload(version, "NotifyDisplayMessages", NoticeAnswer()) == {}


def test_2_1_reports_a_message_in_several_languages():
    info = INFO | {"messageExtra": [{"format": "QRCODE", "content": "x", "language": "de"}]}
    report = catalogue.understand(V21, "NotifyDisplayMessages", {"requestId": 9, "messageInfo": [info]}).report
    assert report.messages[0].others == (DisplayText("x", MessageFormat.QRCODE, "de"),)


@BOTH
@pytest.mark.parametrize(
    ("action", "status", "result"),
    [
        ("SetDisplayMessage", "Accepted", Result.ACCEPTED),
        ("SetDisplayMessage", "NotSupportedPriority", Result.REFUSED),
        ("GetDisplayMessages", "Unknown", Result.ACCEPTED),
        ("ClearDisplayMessage", "Unknown", Result.REFUSED),
    ],
)
def test_O03_FR_06_no_messages_is_an_answer(version, action, status, result):
    assert catalogue.outcome_of(version, action, {"status": status}).result is result
