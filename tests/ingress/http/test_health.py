"""Health, readiness, status and metrics."""

import asyncio
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.ports import JournalUnavailable
from ingress.http.settings import HttpSettings
from tests.ingress.http.house import TestHouse


async def fine() -> str:
    return "answers"


async def down() -> str:
    raise JournalUnavailable("Redis at 127.0.0.1:6379 refuses connections")


async def silent() -> str:
    await asyncio.Event().wait()
    return "never"


def test_alive_is_alive_whatever_is_down(client_of):
    house = TestHouse(health={"journal": down})
    house.projection.down = True
    assert client_of(house, None).get("/healthz").json() == {"status": "alive"}


def test_ready_says_how_each_part_is(client_of):
    client = client_of(TestHouse(health={"journal": fine, "postgres": fine}), None)
    assert client.get("/readyz").json() == {"status": "ready", "checks": {"journal": "answers", "postgres": "answers"}}


@pytest.mark.parametrize(("check", "reason"), [(down, "refuses connections"), (silent, "no answer within 0.05 s")])
def test_not_ready_is_503_and_says_which_part_and_why(client_of, check, reason):
    settings = HttpSettings(ready_timeout_s=0.05)
    client = client_of(TestHouse(health={"journal": check, "postgres": fine}, settings=settings), None)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["detail"].startswith("journal: ")
    assert reason in body["checks"]["journal"]
    assert body["checks"]["postgres"] == "answers"


def test_status_answers_while_parts_are_down(client_of):
    house = TestHouse(health={"journal": down, "postgres": fine})
    house.projection.down = True
    body = client_of(house).get("/api/v1/status").json()
    assert body["ready"] is False
    assert body["counts"] is None
    assert body["version"] == "1.2.3"
    assert [(part["name"], part["ready"]) for part in body["components"]] == [("journal", False), ("postgres", True)]


def test_status_counts(client, house):
    house.add_station("CP-1")
    house.add_transactions("CP-1", 2)
    body = client.get("/api/v1/status").json()
    assert body["ready"] is True
    assert body["counts"]["stations_connected"] == 1
    assert body["counts"]["transactions_open"] == 2


def test_targets_are_in_the_form_that_prometheus_reads(client):
    assert client.get("/api/v1/system/targets").json() == [{"targets": ["127.0.0.1:8080"], "labels": {"job": "narke"}}]


def test_requests_are_counted_by_template_and_never_by_path(client, house):
    house.add_station("CP-SECRET-NAME")
    client.get("/api/v1/stations/CP-SECRET-NAME")
    client.get("/api/v1/stations/NOPE-NOPE")
    client.get("/scanner/path.php")
    client.request("BREW", "/api/v1/status")
    text = client.get("/metrics").text
    assert "SECRET" not in text
    assert "NOPE" not in text
    assert "scanner" not in text
    assert "BREW" not in text
    labels = {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"])
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "narke_http_requests_total"
    }
    assert ("GET", "/api/v1/stations/{station}", "200") in labels
    assert ("GET", "/api/v1/stations/{station}", "404") in labels
    assert ("GET", "unmatched", "404") in labels


def test_metrics_of_all_processes_of_a_node_are_added_up(client_of, tmp_path):
    program = (
        "from prometheus_client import Counter\nc = Counter('narke_probe', 'probe')\nc.inc(2)\n"
        "from prometheus_client import values"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}, check=True)
    client = client_of(TestHouse(metrics_dir=tmp_path), None)
    assert "narke_probe_total 4.0" in client.get("/metrics").text
