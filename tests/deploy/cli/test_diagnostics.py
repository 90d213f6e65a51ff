"""`narke log`, `monitors` and `customer`."""

import json

import pytest

from engine.model.codec import decode_operator_entry
from engine.model.diagnostics import (
    CustomerInformationAsked,
    CustomerInformationForgotten,
    CustomerInformationRecorded,
    GetLog,
    LogAsked,
    LogKind,
)
from engine.model.facts import JournalEntry, StationFacts
from engine.model.monitoring import GetMonitoringReport, Monitor, MonitorsSet, MonitorType
from engine.model.provisioning import VariableRef
from storage.journal_reader import StreamEntry
from storage.keys import OPERATOR
from tests.ingress.http.house import NOW


@pytest.fixture
def tell(narke):
    narke.house.add_station("CP-1")

    def take(*facts):
        entry = JournalEntry("default", NOW, (StationFacts("CP-1", facts),))
        with pytest.raises(StopIteration):
            narke.house.projection.apply([StreamEntry("s0", "1-0", entry)]).send(None)

    return take


def ok(result):
    assert result.exit_code == 0, result.output
    return result


def test_a_log_is_asked_for_with_its_span(narke):
    narke.house.add_station("CP-1")
    ok(narke.run("log", "get", "CP-1", "https://h/", "--log", "SecurityLog", "--since", "2026-01-01T00:00Z"))
    command = narke.house.gateway.requests[0].command
    assert isinstance(command, GetLog)
    assert (command.kind, command.oldest_at.year, command.latest_at) == (LogKind.SECURITY, 2026, None)


def test_logs_are_listed(narke, tell):
    tell(LogAsked(7, "c1", LogKind.DIAGNOSTICS, "ftp://h/", NOW, accepted=True, answer="Accepted", file_name="d.zip"))
    assert "d.zip" in ok(narke.run("log", "list")).stdout
    assert "no log" in narke.run("log", "list", "--station", "CP-2").output


def test_monitors_are_listed_or_asked_for(narke, tell):
    tell(MonitorsSet((Monitor(3, VariableRef("Power", "EVSE", "left"), MonitorType.DELTA, 5.0, 4),), NOW))
    assert all(word in ok(narke.run("monitors", "CP-1")).stdout for word in ("3", "EVSE[left]", "Power", "Delta"))
    ok(narke.run("monitors", "CP-1", "--ask"))
    assert isinstance(narke.house.gateway.requests[0].command, GetMonitoringReport)


def test_what_a_station_keeps_of_a_customer_is_shown_and_deleted(narke, tell):
    asked = CustomerInformationAsked(7, "c1", report=True, clear=False, noted_at=NOW, accepted=True)
    tell(asked, CustomerInformationRecorded(7, 0, 0, "Name: Jane", NOW, more=True))
    shown = ok(narke.run("customer", "show", "CP-1", "7"))
    assert shown.stdout == "Name: Jane\n"
    assert "not complete" in shown.stderr
    assert json.loads(narke.run("customer", "show", "CP-1", "7", "--json").stdout)["text"] == "Name: Jane"
    assert "deleted" in ok(narke.run("customer", "forget", "CP-1", "7")).stdout
    [fact] = [fact for _, entry in narke.house.store.streams[OPERATOR] for fact in decode_operator_entry(entry).facts]
    assert isinstance(fact, CustomerInformationForgotten)
    assert narke.run("customer", "show", "CP-1", "8").exit_code == 3
