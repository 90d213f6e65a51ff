"""What is remembered of a device model; what is decided by it is in test_device_model."""

from datetime import timedelta

from engine.model.device_model import (
    InventoryAsked,
    InventoryPlanned,
    ReportFollowed,
    ReportProgress,
    ReportStatus,
    VariableEntry,
    VariableSource,
    VariablesRecorded,
)
from engine.model.provisioning import VariableRef
from engine.station.inventory import Inventory
from tests.engine.station.conftest import START

LATER = START + timedelta(seconds=9)


def planned(identity=5):
    return InventoryPlanned(due_at=LATER, identity=identity, noted_at=START)


def followed(status, kind="FullInventory", request_id=1):
    progress = ReportProgress(request_id=request_id, status=status, kind=kind, due_at=LATER)
    return ReportFollowed(progress, noted_at=START)


def test_a_plan_is_due_until_it_was_asked():
    inventory = Inventory().after(planned())
    assert inventory.due_at == LATER
    assert inventory.after(InventoryAsked(noted_at=LATER)).due_at is None


def test_only_a_complete_full_report_makes_the_model_known():
    inventory = Inventory().after(planned())
    for status, kind in ((ReportStatus.INCOMPLETE, "FullInventory"), (ReportStatus.COMPLETE, "Custom")):
        assert inventory.after(followed(status, kind)).known == 0
    known = inventory.after(followed(ReportStatus.COMPLETE))
    assert (known.known, known.wanted, known.reports) == (5, 0, ())


def test_a_report_that_nobody_planned_leaves_what_is_known():
    known = Inventory(known=5).after(followed(ReportStatus.COMPLETE))
    assert known.known == 5


def test_a_value_for_the_next_start_is_remembered_until_all_is_read_again():
    entry = VariableEntry(ref=VariableRef("X"), value_next="1")
    inventory = Inventory().after(VariablesRecorded(source=VariableSource.WRITTEN, at=START, entries=(entry,)))
    assert inventory.restart_awaited
    assert not inventory.after(followed(ReportStatus.COMPLETE)).restart_awaited


def test_a_report_under_way_is_due_with_its_next_part():
    inventory = Inventory().after(followed(ReportStatus.RECEIVING))
    assert inventory.due_at == LATER
    assert inventory.find(1).status is ReportStatus.RECEIVING
    assert inventory.find(2) is None
