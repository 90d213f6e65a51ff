"""Bad input, end to end: who starts, commands or connects wrongly is told what is wrong, where and what to do."""

import asyncio
import json
import socket
import subprocess
import time

import pytest

from tests.running import BIN, free_port
from tests.stations import SUBPROTOCOLS, cli, exchange, now, open_socket, package_station, written

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NO_STATUS = (0, -6, -9, -11)


@pytest.fixture(scope="module", autouse=True)
def _driver(narke):
    narke.cli("tokens", "add", "DRIVER")


@pytest.fixture
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def refused_start(narke, data_dir, *arguments, **environment):
    """What `narke up` says before it gives up."""
    command = [BIN / "narke", "up", "--data-dir", data_dir, *arguments]
    if "--port" not in arguments:
        command += ["--port", free_port()]
    if "--http-port" not in arguments:
        command += ["--http-port", free_port()]
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        env=narke.environment | environment,
        timeout=90,
        check=False,
        start_new_session=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode not in NO_STATUS, said
    assert "Traceback" not in said
    return said


def test_a_busy_port_is_named_with_its_way_out(narke, taken_port, tmp_path):
    """Also that of another Narke: ingresses could share it, and stations would go to either."""
    for flag, setting, port in (
        ("--port", "OCPP", taken_port),
        ("--port", "OCPP", narke.ocpp_port),
        ("--http-port", "HTTP", taken_port),
    ):
        said = refused_start(narke, tmp_path / "data", flag, port)
        assert str(port) in said
        assert "is taken" in said
        assert flag in said
        assert setting in said


def test_a_second_narke_on_the_same_data_is_refused_and_the_first_runs_on(narke):
    said = refused_start(narke, narke.data_dir)
    assert str(narke.data_dir) in said
    assert str(narke.process.pid) in said
    assert "--data-dir" in said
    assert narke.is_ready()
    assert narke.cli("status").returncode == 0


def test_an_unusable_data_directory_is_named(narke, tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    said = refused_start(narke, file)
    assert str(file) in said
    assert file.read_text() == "not a folder"
    said = refused_start(narke, file / "below")
    assert str(file) in said


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        (["--port", "70000"], {}, ["--port", "70000"]),
        (["--set", "ocpp.nonsense=1"], {}, ["ocpp.nonsense"]),
        (["--log-level", "loud"], {}, ["--log-level", "loud", "debug"]),
        ([], {"NARKE_OCPP__PORTT": "1"}, ["NARKE_OCPP__PORTT", "NARKE_OCPP__PORT"]),
        ([], {"NARKE_ACTORS__STATIONS_PER_ACTOR": "0"}, ["NARKE_ACTORS__STATIONS_PER_ACTOR", "0"]),
        (["--postgres-url", "mysql://x"], {}, ["--postgres-url", "postgresql://"]),
    ],
)
def test_a_wrong_setting_is_named(narke, tmp_path, flags, environment, words):
    said = refused_start(narke, tmp_path / "data", *flags, **environment)
    for word in words:
        assert word in said
    assert not (tmp_path / "data" / "postgres").exists()


def test_servers_that_do_not_answer_are_named_without_their_password(narke, tmp_path):
    port = free_port()
    postgres = f"postgresql://narke:sesame@127.0.0.1:{port}/narke"
    redis = f"redis://:sesame@127.0.0.1:{port}/0"
    for flag, url in (("--postgres-url", postgres), ("--redis-url", redis)):
        said = refused_start(narke, tmp_path / flag.strip("-"), flag, url)
        assert f"127.0.0.1:{port}" in said or str(port) in said
        assert "sesame" not in said


async def test_commands_that_cannot_be_carried_out_say_why_and_what_to_do(narke):
    async with (
        package_station(narke, "NEW", "2.0.1") as station,
        package_station(narke, "OLD", "1.6") as old,
    ):
        boot = {"charging_station": {"model": "Two", "vendor_name": "Acme"}, "reason": "PowerUp"}
        await station.say("BootNotification", **boot)
        await old.say("BootNotification", charge_point_vendor="Acme", charge_point_model="One")
        async with package_station(narke, "GONE", "1.6") as gone:
            await gone.say("BootNotification", charge_point_vendor="Acme", charge_point_model="One")
        narke.wait_for_rows("SELECT 1 FROM stations WHERE station = 'GONE' AND NOT connected")
        cases = [
            (["send", "NEW", "Reset", '{"type": '], 2, ["JSON", "line 1"]),
            (["send", "NEW", "Reset", "[]"], 2, ["list"]),
            (["send", "NEW", "Reset", "@/nowhere.json"], 2, ["/nowhere.json"]),
            (["send", "NOBODY", "ClearCache"], 3, ["NOBODY"]),
            (["station", "show", "NOBODY"], 3, ["NOBODY"]),
            (["start", "NOBODY", "--token", "DRIVER"], 3, ["NOBODY"]),
            (["reset", "GONE"], 4, ["GONE", "not connected"]),
            (["send", "NEW", "MakeCoffee"], 5, ["MakeCoffee"]),
            (["send", "NEW", "BootNotification"], 5, ["BootNotification"]),
            (["send", "OLD", "GetVariables", "{}"], 5, ["GetVariables"]),
            (["send", "NEW", "Reset", '{"type": "Loud"}'], 5, ["type", "Immediate"]),
            (["send", "NEW", "Reset"], 5, ["type"]),
            (["stop", "NEW"], 3, ["no open transaction"]),
            (["tokens", "remove", "NO-SUCH"], 3, ["NO-SUCH"]),
            (["--key", "wrong", "stations"], None, ["key"]),
            (["send", "NEW"], 2, ["action"]),
            (["--data-dir", "/nowhere", "stations"], 6, ["/nowhere", "narke up"]),
        ]
        for arguments, status, words in cases:
            done = await cli(narke, *arguments, check=False)
            said = done.stdout + done.stderr
            assert done.returncode == status or (status is None and done.returncode not in NO_STATUS), (arguments, said)
            assert "Traceback" not in said
            for word in words:
                assert word in said, arguments
        assert (station.asked, old.asked) == ([], [])


BAD_FRAMES = {
    # frame: code of 1.6, code of 2.x; None: no answer
    "no json": ("{not json", None, "RpcFrameworkError"),
    "no list": ('{"a": 1}', None, "RpcFrameworkError"),
    "unknown action": ([2, "id", "MakeCoffee", {}], "NotImplemented", "NotImplemented"),
    "action of the other direction": ([2, "id", "Reset", {"type": "Hard"}], "NotSupported", "NotSupported"),
    "payload is no object": ([2, "id", "Heartbeat", 5], "FormationViolation", "FormatViolation"),
    "unknown word": (
        [2, "id", "FirmwareStatusNotification", {"status": "Nonsense"}],
        "PropertyConstraintViolation",
        "PropertyConstraintViolation",
    ),
    "too long": (
        [2, "id", "DataTransfer", {"vendorId": "x" * 300}],
        "TypeConstraintViolation",
        "TypeConstraintViolation",
    ),
    "missing field": ([2, "id", "DataTransfer", {}], "ProtocolError", "OccurrenceConstraintViolation"),
    "field too many": (
        [2, "id", "DataTransfer", {"vendorId": "x", "more": 1}],
        "FormationViolation",
        "FormatViolation",
    ),
}
BOOT_OF = {
    "1.6": {"chargePointVendor": "Acme", "chargePointModel": "One"},
    "2.0.1": {"chargingStation": {"vendorName": "Acme", "model": "Two"}, "reason": "PowerUp"},
}
BOOT_OF["2.1"] = BOOT_OF["2.0.1"]


@pytest.mark.parametrize("version", SUBPROTOCOLS)
async def test_a_malformed_frame_gets_the_error_of_its_version_and_the_connection_lives_on(narke, version):
    async with open_socket(narke, f"CLUMSY-{version}", SUBPROTOCOLS[version]) as socket_:
        assert (await exchange(socket_, [2, "boot", "BootNotification", BOOT_OF[version]]))[0] == 3
        told = {}
        for number, (name, (frame, *_)) in enumerate(BAD_FRAMES.items()):
            await socket_.send(frame if isinstance(frame, str) else json.dumps(frame))
            beat = f"beat-{number}"
            await socket_.send(json.dumps([2, beat, "Heartbeat", {}]))
            answers = [json.loads(await asyncio.wait_for(socket_.recv(), 30))]
            while answers[-1][1] != beat:
                answers.append(json.loads(await asyncio.wait_for(socket_.recv(), 30)))
            assert answers[-1][0] == 3, "the connection goes on"
            errors = answers[:-1]
            assert all(len(error) == 5 and error[0] == 4 for error in errors)
            assert all(error[1] == ("id" if isinstance(frame, list) else "-1") for error in errors)
            told[name] = errors[0][2] if errors else None
        column = 1 if version == "1.6" else 2
        assert told == {name: case[column] for name, case in BAD_FRAMES.items()}
        refused = narke.wait_for_rows(
            "SELECT outcome FROM messages WHERE station = %s AND direction = 'out' AND outcome <> 'ok'",
            f"CLUMSY-{version}",
            count=7,
        )
        assert {row["outcome"] for row in refused} >= {"NotImplemented", "TypeConstraintViolation"}


async def test_a_flooding_station_is_slowed_and_loses_nothing(narke):
    """The default lets 200 messages through at once and 20 a second after that."""
    count, burst, per_s = 300, 200, 20
    async with open_socket(narke, "FLOOD", "ocpp1.6") as flood, open_socket(narke, "CALM", "ocpp1.6") as calm:
        for socket_ in (flood, calm):
            assert (await exchange(socket_, [2, "boot", "BootNotification", BOOT_OF["1.6"]]))[0] == 3
        began = time.monotonic()
        ids = [f"flood-{number}" for number in range(count)]

        async def pour():
            for number, message_id in enumerate(ids):
                value = {"timestamp": written(now()), "sampledValue": [{"value": str(number)}]}
                await flood.send(json.dumps([2, message_id, "MeterValues", {"connectorId": 1, "meterValue": [value]}]))

        pouring = asyncio.create_task(pour())
        answered = []
        while len(answered) < count:
            answered.append(json.loads(await asyncio.wait_for(flood.recv(), 30))[:2])
            if len(answered) == burst:
                assert (await exchange(calm, [2, "calm", "Heartbeat", {}]))[0] == 3, "others are served"
        await pouring
        assert answered == [[3, message_id] for message_id in ids], "all, in order"
        assert time.monotonic() - began >= (count - burst) / per_s * 0.8, "slowed"
    rows = narke.wait_for_rows("SELECT value FROM meter_readings WHERE station = 'FLOOD' ORDER BY id", count=count)
    assert [row["value"] for row in rows] == list(range(count))
