"""The schema of PostgreSQL: brought up to date at every start, by one of however many start at once.

Forward only. Who migrates holds an advisory lock, polled for: waiting inside `pg_advisory_lock` would keep a snapshot
that CREATE INDEX CONCURRENTLY waits for, and both would hang.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

log = structlog.get_logger()

VERSION_TABLE = "schema_revision"
LOCK_KEY = 0x6E61726B65  # "narke"
LOCK_POLL_S = 0.2


class SchemaNewer(Exception):  # noqa: N818 (says what it is)
    """The database was migrated by a newer Narke: this one must not touch it."""


class SchemaBusy(Exception):  # noqa: N818 (says what it is)
    """Somebody else has been migrating for too long."""


def head_revision() -> str:
    """The revision that this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def migrate(url: str, *, wait_s: float = 120.0) -> bool:
    """Brings the schema to `head_revision`; waits up to `wait_s` for another that does so. True: something was changed.

    Raises:
        SchemaNewer: The database is ahead of this code. Nothing was changed.
        SchemaBusy: Another holds the lock for longer than `wait_s`.
        sqlalchemy.exc.OperationalError: PostgreSQL does not answer.
    """
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as lock, _locked(lock, wait_s), engine.connect() as connection:
        before = _current(connection)
        _refuse_newer(before)
        if before == head_revision():
            return False
        config = _config()
        config.attributes["connection"] = connection
        connection.rollback()
        command.upgrade(config, "head")
        log.info("schema migrated", before=before, now=head_revision())
        return True


def check_schema(url: str) -> str | None:
    """What is wrong with the schema, for `narke doctor`; None: it is what this code needs."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        revision = _current(connection)
    try:
        _refuse_newer(revision)
    except SchemaNewer as error:
        return str(error)
    if revision == head_revision():
        return None
    return f"the schema is at {revision or 'nothing'}, this Narke needs {head_revision()}: the next start migrates it"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        msg = (
            f"the database has schema {revision}, which this version of Narke (up to {head_revision()}) does not know:"
            " it was migrated by a newer one. Start that newer version, or restore the backup made before the upgrade"
        )
        raise SchemaNewer(msg)


@contextmanager
def _locked(connection: Connection, wait_s: float) -> Iterator[None]:
    give_up_at = time.monotonic() + wait_s
    while not _execute(connection, "SELECT pg_try_advisory_lock(:key)"):
        if time.monotonic() > give_up_at:
            msg = (
                f"another process has been migrating the schema for {wait_s:g} s: look for it in pg_stat_activity, "
                "or wait and start again"
            )
            raise SchemaBusy(msg)
        time.sleep(LOCK_POLL_S)
    try:
        yield
    finally:
        _execute(connection, "SELECT pg_advisory_unlock(:key)")


def _execute(connection: Connection, query: str) -> Any:
    """Runs it without leaving a transaction open: its snapshot would hold others up."""
    answer = connection.execute(text(query), {"key": LOCK_KEY}).scalar()
    connection.rollback()
    return answer
