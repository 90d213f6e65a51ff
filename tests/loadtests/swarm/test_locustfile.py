"""Locust, as a user starts it, against a CSMS that checks all it hears by the official schemas."""

import asyncio
import json
import sys

import pytest

from tests.loadtests.scripted import Csms, Error
from tests.loadtests.swarm.swarming import ROOT, Rows, environment, locust, started
from tests.running import free_port

QUICK = ("--pause", 0.2, "--charge-time", 0.5, "--meter-interval", 0.1, "-r", 50)
STATIONS = ("Station16", "Station201", "Station21")

pytestmark = pytest.mark.integration


async def run(csms, folder, *arguments):
    target = folder / "rows"
    code, said = await locust(
        *("--headless", "--ocpp-url", csms.url, "--json-file", target, "--csv", target, *QUICK, *arguments),
    )
    return code, said, Rows(f"{target}.json")


async def test_each_action_of_each_version_is_a_row_and_nothing_fails(tmp_path):
    async with Csms() as csms:
        code, said, rows = await run(csms, tmp_path, "-u", 12, "-t", "6s", *STATIONS)
    assert code == 0, said
    assert rows.failed == {}
    both = {"(connect)", "BootNotification", "StatusNotification", "Heartbeat", "Authorize", "MeterValues"}
    assert both | {"StartTransaction", "StopTransaction"} <= rows.names("OCPP1.6")
    assert both | {"TransactionEvent"} <= rows.names("OCPP2.0.1")
    assert both | {"TransactionEvent"} <= rows.names("OCPP2.1")
    boots = [rows.rows[f"OCPP{version}", "BootNotification"] for version in ("1.6", "2.0.1", "2.1")]
    assert sum(row["num_requests"] for row in boots) == 12
    assert all(row["min_response_time"] > 0 and row["total_content_length"] > 0 for row in boots)


async def test_a_callerror_is_a_failure_with_its_code_and_the_exit_code_says_so(tmp_path):
    async with Csms() as csms:
        csms.answers["Heartbeat"] = [Error("InternalError", "no clock")] * 10_000
        code, said, rows = await run(csms, tmp_path, "-u", 2, "-t", "3s", "--tags", "provisioning", "--", "Station16")
    assert code == 1
    assert rows.failed.keys() == {("OCPP1.6", "Heartbeat")}
    assert "InternalError: no clock" in (tmp_path / "rows_failures.csv").read_text(), said


async def test_tags_choose_what_stations_do(tmp_path):
    async with Csms() as csms:
        code, said, rows = await run(csms, tmp_path, "-u", 2, "-t", "3s", "--tags", "storm", "--", "Station21")
    assert code == 0, said
    assert rows.names("OCPP2.1") == {"(connect)", "BootNotification", "StatusNotification", "Heartbeat"}
    assert rows.count("OCPP2.1", "(connect)") > 2
    assert rows.count("OCPP2.1", "BootNotification") == 2  # losing a connection is no reason to boot again


async def test_commands_are_rows_of_their_own(tmp_path):
    async with Csms() as csms:
        play = asyncio.create_task(run(csms, tmp_path, "-u", 1, "-t", "4s", "--tags", "remote", "--", "Station201"))
        await csms.until_heard("StatusNotification")
        token = {"idToken": "AFAR", "type": "Central"}
        start = {"idToken": token, "remoteStartId": 7}
        assert await csms.call("RequestStartTransaction", start) == {"status": "Accepted"}
        await csms.until_heard("TransactionEvent", eventType="Ended")
        code, said, rows = await play
    assert code == 0, said
    assert rows.count("CSMS-command", "RequestStartTransaction") == 1
    assert csms.all_of("TransactionEvent")[0]["transactionInfo"]["remoteStartId"] == 7


async def test_a_shape_lets_its_scenario_happen(tmp_path):
    async with Csms() as csms:
        play = run(csms, tmp_path, "-u", 6, "-t", "12s", "--shape", "slow_consumers", "--pause", 1, "--", "Station16")
        code, said, rows = await play
    assert code == 0, said
    assert rows.failed == {}
    assert rows.names("OCPP1.6")


async def test_a_worker_has_names_that_no_other_worker_has(tmp_path):
    port = free_port()
    bind = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    join = ("--worker", "--master-host", "127.0.0.1", "--master-port", port)
    async with Csms() as csms:
        target = tmp_path / "rows"
        master = ("--master", *bind, "--expect-workers", 2, "--headless", "-u", 10, "-t", "5s", "--json-file", target)
        async with started(*join), started(*join):
            code, said = await locust(*master, *QUICK, "--ocpp-url", csms.url, "--prefix", "TWO", *STATIONS)
    assert code == 0, said
    rows = Rows(f"{target}.json")
    assert rows.failed == {}
    names = [request.path.rsplit("/", 1)[1] for request in csms.requests]
    assert len(names) == len(set(names)) == 10
    assert {name.split("-")[2] for name in names} == {"0", "1"}
    assert all(name.startswith("TWO-") for name in names)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--ocpp-url", "http://127.0.0.1:1/ocpp"), 2, "expected ws:// or wss://"),
        (("--ocpp-url", "ws://127.0.0.1:1/ocpp"), 1, "stations cannot connect to ws://127.0.0.1:1/ocpp"),
        (("--shape", "hurricane"), 2, "there is no shape 'hurricane'; there are steady_day"),
        (("--meter-interval", "often"), 2, "expected 0.05 to 86400 seconds"),
        (("--tokens", ","), 2, "names no token"),
        (("--prefix", "a b"), 2, "letters, digits, hyphens"),
        (("--ca-file", "/nowhere.pem"), 2, "there is no file /nowhere.pem"),
        (("Operator",), 2, "Operator needs a key"),
        (("--api-key", "k", "--host", "http://127.0.0.1:1", "Operator"), 1, "REST does not answer at http://127.0.0.1"),
        (("--host", "127.0.0.1:1"), 2, "expected http:// or https://"),
    ],
)
async def test_what_is_wrong_is_said_before_the_first_user(arguments, code, said):
    found, words = await locust("--headless", "-u", 1, "-t", "5s", *arguments)
    assert (found, said in words) == (code, True), words
    assert "Traceback" not in words


async def test_ray_and_the_product_are_not_loaded():
    listing = "import sys,json; sys.argv=['locust']; import loadtests.locustfile; print(json.dumps([*sys.modules]))"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", listing), stdout=asyncio.subprocess.PIPE, env=environment(), cwd=ROOT
    )
    out, _ = await process.communicate()
    roots = {name.split(".")[0] for name in json.loads(out)}
    assert "gevent" in roots
    assert not roots & {"ray", "engine", "actors", "ingress", "storage", "deploy", "smartcharging"}
