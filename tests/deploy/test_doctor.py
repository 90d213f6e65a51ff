"""The doctor: what it finds on this machine, and on one that is ill."""

import json
import os
import resource
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy import run_file
from deploy.doctor import cluster, machine, places, report, servers
from deploy.doctor.examination import examine
from deploy.doctor.report import Status
from deploy.run_file import RunInfo
from deploy.servers.data_dir import DataDir, DataDirLock, ServerNote
from deploy.servers.local import LocalServers
from deploy.settings import HttpSettings, OcppSettings, RaySettings, ServersSettings, Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data", ocpp=OcppSettings(port=0), http=HttpSettings(port=0))


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def by_name(checks):
    return {check.name: check for check in checks}


@pytest.mark.integration
def test_this_machine_can_run_narke_and_is_left_as_it_was(settings):
    checks = list(examine(settings))
    assert [check for check in checks if check.status is Status.FAIL] == []
    assert {"python", "cores", "memory", "disk", "open files", "clock", "postgresql", "redis", "ray"} <= by_name(
        checks
    ).keys()
    assert all(check.advice for check in checks if check.status is not Status.OK)
    assert not settings.data_dir.exists()


@pytest.mark.integration
def test_of_a_running_narke_it_compares_the_clocks(settings):
    local = LocalServers(settings)
    local.start()
    try:
        checks = by_name(examine(settings))
    finally:
        local.stop()
    assert checks["clock of PostgreSQL"].status is Status.OK
    assert checks["clock of Redis"].status is Status.OK


@pytest.mark.integration
def test_outside_servers_are_asked(settings, tmp_path):
    local = LocalServers(settings)
    urls = local.start()
    try:
        outside = Settings(data_dir=tmp_path / "other").with_servers(
            postgres_url=urls.postgres_url, redis_url=urls.redis_url
        )
        checks = by_name(servers.examine(outside))
    finally:
        local.stop()
    assert (checks["postgresql"].status, checks["redis"].status) == (Status.OK, Status.OK)
    assert "********" in checks["postgresql"].found
    assert "user of the servers" not in checks
    gone = by_name(servers.examine(outside))
    assert (gone["postgresql"].status, gone["redis"].status) == (Status.FAIL, Status.FAIL)
    assert "clock of Redis" not in gone


def test_open_files_are_measured_against_the_connections():
    infinite = resource.RLIM_INFINITY
    assert machine.open_files(20_000, 20_000, 12_000).status is Status.OK
    assert machine.open_files(infinite, infinite, 200_000).status is Status.OK
    low = machine.open_files(1_024, infinite, 12_000)
    assert (low.status, low.advice) == (Status.WARN, "Before `narke up`: ulimit -n 12500")
    hard = machine.open_files(1_024, 4_096, 12_000)
    assert "LimitNOFILE=12500" in hard.advice
    assert "ocpp.connections_max to 3596" in hard.advice


@pytest.mark.parametrize(("free_mb", "status"), [(10, Status.FAIL), (500, Status.WARN), (50_000, Status.OK)])
def test_a_full_disk_fails_and_a_small_one_warns(free_mb, status):
    assert machine.disk(Path("/data"), free_mb).status is status


def test_a_taken_port_names_its_holder_and_the_flag(listener):
    check = places.port("OCPP port", "127.0.0.1", listener, {}, "--port")
    assert check.status is Status.FAIL
    assert f"process {os.getpid()}" in check.found
    assert "--port" in check.advice


def test_a_port_that_narke_itself_has_taken_is_well(listener):
    check = places.port("OCPP port", "127.0.0.1", listener, {os.getpid(): "ingress-0"}, "--port")
    assert (check.status, "ingress-0" in check.found) == (Status.OK, True)


def test_an_address_of_another_machine_is_no_place_to_listen():
    check = places.port("HTTP port", "192.0.2.1", 8080, {}, "--http-port")
    assert (check.status, "not an address of this machine" in check.found) == (Status.FAIL, True)


def test_a_data_directory_that_is_a_file_or_closed_fails(tmp_path):
    (tmp_path / "file").write_text("")
    assert places.data_dir(tmp_path / "file").status is Status.FAIL
    assert places.data_dir(tmp_path / "file" / "below").status is Status.FAIL
    assert places.data_dir(Path("/proc/narke")).status is Status.FAIL
    assert places.data_dir(tmp_path / "new" / "deep").status is Status.OK


def test_a_running_narke_is_seen_by_its_run_file_or_its_lock(settings):
    data_dir = DataDir(settings.data_dir)
    data_dir.prepare()
    assert by_name(places.examine(settings))["running system"].found == "none"
    with DataDirLock(settings.data_dir):
        starting = by_name(places.examine(settings))["running system"]
        assert (starting.status, f"process {os.getpid()}" in starting.found) == (Status.WARN, True)
    info = RunInfo(
        pid=os.getpid(), started_at="", http_url="http://h", ocpp_url="ws://h", api_key_file="", data_dir="", version=""
    )
    run_file.write(settings.data_dir, info)
    assert "http://h" in by_name(places.examine(settings))["running system"].found
    (settings.data_dir / run_file.FILE).write_text("{")
    assert Status.FAIL in {check.status for check in places.examine(settings)}


def test_a_missing_major_version_of_postgresql_fails(settings):
    folder = settings.data_dir / "postgres"
    folder.mkdir(parents=True)
    (folder / "PG_VERSION").write_text("11\n")
    check = by_name(servers.examine(settings))["postgresql"]
    assert (check.status, "postgresql-11" in check.advice) == (Status.FAIL, True)


def test_data_of_a_later_redis_fails(settings):
    data_dir = DataDir(settings.data_dir)
    data_dir.prepare()
    data_dir.save_note("redis", ServerNote(flavour="redis", version=(99, 0), made=True))
    check = by_name(servers.examine(settings))["redis"]
    assert (check.status, "99.0" in check.advice) == (Status.FAIL, True)


def test_an_outside_redis_that_is_away_fails_without_its_password(settings):
    check = servers.from_redis(settings.redis, SecretStr("redis://:sesame@127.0.0.1:1/0"))
    assert check.status is Status.FAIL
    assert "127.0.0.1:1" in check.found
    assert "sesame" not in check.found + check.advice


@pytest.mark.parametrize(
    ("offset_s", "status"), [(0.01, Status.OK), (-0.5, Status.OK), (3, Status.WARN), (-7200, Status.FAIL)]
)
def test_clocks_that_differ_are_told(offset_s, status):
    assert servers.offset("Redis", offset_s).status is status


def test_a_cluster_is_looked_for_where_its_address_says(listener, tmp_path):
    current = tmp_path / "ray_current_cluster"
    assert cluster.cluster(f"127.0.0.1:{listener}").status is Status.OK
    assert cluster.cluster(f"ray://127.0.0.1:{listener}").status is Status.OK
    assert cluster.cluster("127.0.0.1:1").status is Status.FAIL
    missing = cluster.cluster("auto", current)
    assert (missing.status, "ray start --head" in missing.advice) == (Status.FAIL, True)
    current.write_text(f"127.0.0.1:{listener}\n")
    assert cluster.cluster("auto", current).status is Status.OK


def test_a_cluster_is_only_looked_for_when_one_is_to_be_joined(settings):
    assert "ray cluster" not in by_name(cluster.examine(settings))
    joining = settings.model_copy(update={"ray": RaySettings(address="127.0.0.1:1")})
    assert by_name(cluster.examine(joining))["ray cluster"].status is Status.FAIL


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(settings, monkeypatch):
    def broken(_settings):
        raise RuntimeError("no /proc")
        yield

    monkeypatch.setattr(machine, "examine", broken)
    checks = list(examine(settings))
    assert (checks[0].status, "no /proc" in checks[0].found) == (Status.FAIL, True)
    assert "ray" in by_name(checks)


def test_both_servers_given_by_url_need_no_programs(settings):
    urls = ServersSettings(postgres_url="postgresql://127.0.0.1:1/x", redis_url="redis://127.0.0.1:1/0")
    checks = by_name(servers.examine(settings.model_copy(update={"servers": urls})))
    assert checks.keys() == {"postgresql", "redis"}


def test_words_for_machines_are_plain():
    assert json.loads(json.dumps(report.ok("x", "y").status)) == "ok"
