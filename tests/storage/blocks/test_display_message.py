"""Rows of display messages: what a station shows now."""

from engine.model.display_message import (
    DisplayMessage,
    DisplayMessageGone,
    DisplayMessagesAsked,
    DisplayMessageSet,
    DisplayMessagesRecorded,
    DisplayMessagesReported,
    DisplayText,
    MessageFormat,
    MessagePriority,
    MessageState,
)
from engine.model.ids import EvseRef
from engine.model.provisioning import VariableRef
from storage.blocks.display_message import MESSAGES
from tests.storage.blocks.projecting import NOW, Rows


def message(number=1, **more):
    return DisplayMessage(number, **({"text": DisplayText("Hi", language="en")} | more))


async def numbers(rows):
    return [row.message_id for row in await rows.of(MESSAGES)]


async def test_a_message_is_a_row_with_all_it_has():
    rows = Rows()
    full = message(
        others=(DisplayText("Hallo", MessageFormat.HTML, "de"),),
        priority=MessagePriority.IN_FRONT,
        state=MessageState.CHARGING,
        start_at=NOW,
        end_at=NOW,
        transaction_id="tx",
        display=VariableRef("", "Display", "left", evse=EvseRef(2)),
    )
    await rows.after(DisplayMessageSet(full, NOW))
    row = await rows.one(MESSAGES)
    assert (row.priority, row.state, row.transaction_id) == ("InFront", "Charging", "tx")
    assert (row.content, row.format, row.language, row.start_at, row.end_at) == ("Hi", "UTF8", "en", NOW, NOW)
    assert row.others == [{"content": "Hallo", "format": "HTML", "language": "de"}]
    assert row.display == {"component": "Display", "instance": "left", "evse": "2"}


async def test_a_message_that_is_replaced_keeps_nothing_of_the_old():
    rows = Rows()
    await rows.after(DisplayMessageSet(message(state=MessageState.IDLE, end_at=NOW), NOW))
    await rows.after(DisplayMessageSet(message(), NOW))
    row = await rows.one(MESSAGES)
    assert (row.state, row.end_at, row.others, row.display) == (None, None, None, None)


async def test_a_message_in_front_takes_the_place_of_another():
    rows = Rows()
    await rows.after(DisplayMessageSet(message(1), NOW), DisplayMessageSet(message(2), NOW, replaces=1), apart=False)
    assert await numbers(rows) == [2]


async def test_messages_go():
    rows = Rows()
    await rows.after(DisplayMessageSet(message(1), NOW), DisplayMessageSet(message(2), NOW))
    await rows.after(DisplayMessageGone(1, NOW, "cleared"))
    assert await numbers(rows) == [2]
    await rows.after(DisplayMessagesAsked(7, NOW, accepted=True, whole=False, empty=True))
    assert await numbers(rows) == [2], "none of those asked for"
    await rows.after(DisplayMessagesAsked(7, NOW, accepted=True, whole=True, empty=True))
    assert await numbers(rows) == []


async def test_a_report_of_all_replaces_what_was_known():
    rows = Rows()
    await rows.after(DisplayMessageSet(message(1), NOW))
    first = DisplayMessagesRecorded(DisplayMessagesReported(7, (message(2),), more=True), NOW, first=True)
    await rows.after(first, DisplayMessagesRecorded(DisplayMessagesReported(7, (message(3),)), NOW), apart=False)
    assert await numbers(rows) == [2, 3]
