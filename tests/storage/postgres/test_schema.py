"""The schema: from nothing, twice, by several at once, and never backwards."""

import threading

import psycopg
import pytest

from storage.blocks.registry import TABLES, UNLISTED
from storage.schema import LOCK_KEY, SchemaBusy, SchemaNewer, check_schema, head_revision, migrate

pytestmark = pytest.mark.integration


def tables_of(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name for (name,) in rows}


def test_an_empty_database_gets_the_schema_once(empty_database: str):
    assert check_schema(empty_database) == (
        f"the schema is at nothing, this Narke needs {head_revision()}: the next start migrates it"
    )
    assert migrate(empty_database) is True
    of_blocks = {table.name for table in (*TABLES.values(), *UNLISTED)}
    assert tables_of(empty_database) - of_blocks == {
        "bad_entries", "commands", "connectors", "exchanges", "journal_positions", "meter_values", "reading_shapes",
        "schema_revision", "station_events", "stations", "tokens", "transactions",
    }  # fmt: skip
    assert of_blocks <= tables_of(empty_database)
    assert check_schema(empty_database) is None
    assert migrate(empty_database) is False


def test_of_several_that_start_at_once_one_migrates(empty_database: str):
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(migrate(empty_database))
        except Exception as error:  # noqa: BLE001 (shown by the assertion)
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes, key=str) == [False, False, False, True]


def test_a_newer_schema_is_refused_and_left_alone(database: str):
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE schema_revision SET version_num = 'r9999'")
    with pytest.raises(SchemaNewer, match="schema r9999, which this version of Narke"):
        migrate(database)
    complaint = check_schema(database)
    assert complaint is not None
    assert "Start that newer version" in complaint
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT version_num FROM schema_revision").fetchall() == [("r9999",)]


def test_who_waits_too_long_says_for_whom(empty_database: str):
    with psycopg.connect(empty_database) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        with pytest.raises(SchemaBusy, match="another process has been migrating"):
            migrate(empty_database, wait_s=0)


def test_a_revision_that_fails_changes_nothing(empty_database: str):
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE tokens (already int)")
    with pytest.raises(Exception, match='relation "tokens" already exists'):
        migrate(empty_database)
    assert tables_of(empty_database) <= {"tokens", "schema_revision"}
    with psycopg.connect(empty_database) as connection:
        connection.execute("DROP TABLE tokens")
    assert migrate(empty_database) is True
