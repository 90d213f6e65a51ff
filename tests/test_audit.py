"""The crash audit for real, at a smaller size; and that it fails when PostgreSQL is not what was acknowledged."""

import asyncio
import json
import subprocess
from dataclasses import replace

import psycopg
import pytest

from loadtests.audit.audit import compared
from loadtests.audit.crowd import TOKEN, Crowd, options_of
from loadtests.audit.ledger import Ledger
from loadtests.audit.options import AuditOptions, victims_of
from loadtests.audit.running import RunningNarke
from tests.running import BIN, Narke, eventually

STATIONS = 6
AUDIT_STATIONS = 30
SETTLE_S = 60


def run_audit(folder, *arguments):
    """`narke audit` as a user runs it; what it prints."""
    command = [str(word) for word in (BIN / "narke", "audit", *arguments)]
    environment = Narke(folder).environment
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=240)


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(280)
def test_an_audit_finds_no_difference_whatever_is_killed(tmp_path):
    report = tmp_path / "report.json"
    sizes = ("--nodes", 1, "--stations", AUDIT_STATIONS, "--duration", "56s", "--kill-every", "8s")
    done = run_audit(tmp_path, *sizes, "--meter-interval", "1s", "--seed", 5, "--report", report)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differences" in done.stdout
    shown = json.loads(report.read_text())
    assert {kill["kind"] for kill in shown["kills"] if kill["pid"]} == set(victims_of(1))
    assert all(kill["back_s"] is not None for kill in shown["kills"])
    assert shown["compared"]["stations"] == AUDIT_STATIONS
    assert shown["compared"]["transactions"] >= AUDIT_STATIONS
    assert shown["kept"] is None, "nothing was wrong"


class Audited:
    """A running Narke, the ledger of a fleet that has left, and a way to spoil the database."""

    def __init__(self, narke, ledger, identities):
        self.narke, self.ledger, self.identities = narke, ledger, identities
        self.url = RunningNarke(narke.data_dir, ()).postgres_url

    def kinds(self):
        """Of the differences: kind, station, transaction."""
        found = compared(self.ledger, self.url, self.identities).found
        return {(each.kind, each.station, each.transaction_id) for each in found}

    def spoiled(self, *statements):
        """The differences while these hold; then all is as before."""
        tables = ("transactions", "meter_values")
        with psycopg.connect(self.url, autocommit=True) as connection:
            for table in tables:
                connection.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
            try:
                for statement, *parameters in statements:
                    assert connection.execute(statement, parameters).rowcount >= 1, statement
                return self.kinds()
            finally:
                for table in tables:
                    connection.execute(f"DELETE FROM {table}")
                    connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
                    connection.execute(f"DROP TABLE kept_{table}")


@pytest.fixture(scope="module")
def audited(narke, tmp_path_factory):
    narke.cli("tokens", "add", TOKEN)
    version_of = {}
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite", version_of)
    options = AuditOptions(stations=STATIONS, nodes=1, victims=victims_of(1), meter_interval_s=0.5)
    identities = asyncio.run(charged(options_of(options, narke.ocpp_url, "BOOK"), ledger, version_of))
    query = "SELECT station FROM stations WHERE station = ANY(%s) AND NOT connected"
    narke.wait_for_rows(query, identities, count=STATIONS)
    yield Audited(narke, ledger, identities)
    ledger.close()


async def charged(options, ledger, version_of):
    """Stations of all versions charge a while and leave; returns their names."""
    crowd = Crowd(replace(options, connect_s=0.0), ledger)
    version_of.update((station.identity, station.version) for station in crowd.stations)
    await crowd.start()
    await eventually(lambda: crowd.fleet.statistics.transactions >= 2 * STATIONS)
    farewell = await crowd.finish(SETTLE_S)
    await crowd.leave()
    assert (farewell.unfinished, farewell.dead) == ({}, {})
    assert (crowd.refusals(), crowd.stray_replies()) == ({}, 0)
    return crowd.identities


def a_transaction(audited):
    [row, *_] = audited.narke.sql(
        "SELECT station, transaction_id FROM transactions WHERE station = ANY(%s) ORDER BY energy_wh DESC LIMIT 1",
        audited.identities,
    )
    return row["station"], row["transaction_id"]


@pytest.mark.integration
@pytest.mark.timeout(180)
class TestTheAuditCanFail:
    OF = "WHERE station = %s AND transaction_id = %s"

    def test_not_without_a_reason(self, audited):
        assert audited.kinds() == set()

    def test_when_a_transaction_is_gone(self, audited):
        key = a_transaction(audited)
        assert audited.spoiled((f"DELETE FROM transactions {self.OF}", *key)) == {("transaction lost", *key)}

    def test_when_a_transaction_is_left_open(self, audited):
        key = a_transaction(audited)
        found = audited.spoiled((f"UPDATE transactions SET ended_at = NULL, end_received_at = NULL {self.OF}", *key))
        assert found == {("transaction left open", *key)}

    def test_when_energy_changed(self, audited):
        key = a_transaction(audited)
        found = audited.spoiled((f"UPDATE transactions SET energy_wh = energy_wh + 1 {self.OF}", *key))
        assert found == {("other energy", *key)}

    def test_when_a_transaction_is_there_twice(self, audited):
        station, transaction_id = a_transaction(audited)
        twin = f"CREATE TEMPORARY TABLE twin AS SELECT * FROM transactions {self.OF}"
        found = audited.spoiled(
            (twin, station, transaction_id),
            ("UPDATE twin SET transaction_id = 'twin'",),
            ("INSERT INTO transactions SELECT * FROM twin",),
        )
        assert found == {("transaction that nobody was told of", station, "twin")}

    def test_when_meter_values_are_gone(self, audited):
        key = a_transaction(audited)
        assert audited.spoiled((f"DELETE FROM meter_values {self.OF}", *key)) == {("meter values lost", *key)}

    def test_when_meter_values_are_doubled(self, audited):
        key = a_transaction(audited)
        found = audited.spoiled((f"INSERT INTO meter_values SELECT * FROM meter_values {self.OF}", *key))
        assert found == {("meter values doubled", *key)}

    def test_when_meter_values_are_of_another_transaction(self, audited):
        key = a_transaction(audited)
        found = audited.spoiled((f"UPDATE meter_values SET transaction_id = 'other' {self.OF}", *key))
        assert found == {("meter values lost", *key), ("meter values that nobody was told of", key[0], "other")}
