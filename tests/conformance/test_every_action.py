"""Every action of every version in each direction, through a real socket of a whole Narke; and what Narke then knows.

The test ids are in docs/ocpp-support.md: `test_narke_understands[<version>-<action>]` and
`test_narke_commands[<version>-<action>]`.
"""

import json
import time

import pytest

from deploy.ocpp_support_page import words_of
from engine.ocpp.catalogue import actions
from engine.ocpp.schemas import schema
from engine.ocpp.versions import Version
from engine.redaction import redacted
from tests.conformance.everyman import Everyman
from tests.conformance.samples.every import BOOT, FROM_CSMS, FROM_STATION
from tests.conformance.samples.shown import SHOWN
from tests.conformance.samples.typed import FIELDS_OVER_REST, SHOWN_ELSEWHERE, TYPED
from tests.running import Narke

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
SHOWN_S = 30
REFUSALS = {"Occupied", "Rejected"}


def cases(direction):
    return [
        pytest.param(version, name, id=f"{version}-{name}")
        for version in Version
        for name, row in actions(version).items()
        if getattr(row, direction) is not None
    ]


@pytest.fixture(scope="module")
def narke(tmp_path_factory):
    """All frames are logged, and nobody is slowed down."""
    running = Narke(
        tmp_path_factory.mktemp("narke"),
        ocpp__message_log="all",
        ocpp__messages_per_s=10_000,
        ocpp__messages_burst=10_000,
    )
    running.start()
    running.cli("tokens", "add", "DRIVER")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def stations(narke):
    """One of each version, booted; those of 2.x have the transaction that the samples are about."""
    opened = {}
    for version in Version:
        answers = {action: answer for action, (_, answer) in FROM_CSMS[version].items()}
        station = Everyman(f"{narke.ocpp_url}/EVERY-{version}", version.value, answers)
        assert station.say("BootNotification", BOOT[version])[2]["status"] == "Accepted"
        if version is not Version.V16:
            assert station.say("TransactionEvent", FROM_STATION[version]["TransactionEvent"])[0] == 3
        opened[version] = station
    yield opened
    for station in opened.values():
        station.close()


def listed(narke, path, **query):
    answer = narke.api("GET", path, params=query)
    if answer.status_code == 404 and "unknown-station" in answer.text:
        return []  # its rows are a moment behind its answers
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def wait_for_row(narke, path, query, expected):
    """The first row that has what is expected (a part of it)."""
    until = time.monotonic() + SHOWN_S
    while True:
        rows = listed(narke, path, **query)
        for row in rows:
            if contains(row, expected):
                return row
        assert time.monotonic() < until, f"no row of {path} {query} has {expected}; there are {rows[:5]}"
        time.sleep(0.1)


def contains(value, expected):
    """Whether a JSON value has all that is expected, however deep."""
    match expected:
        case dict():
            return isinstance(value, dict) and all(
                name in value and contains(value[name], part) for name, part in expected.items()
            )
        case list():
            return isinstance(value, list) and len(value) == len(expected) and all(map(contains, value, expected))
        case _:
            return value == expected


@pytest.mark.parametrize(("version", "action"), cases("from_station"))
def test_narke_understands(narke, stations, version, action):
    station, payload = stations[version], FROM_STATION[version][action]
    path = f"/stations/EVERY-{version}"
    row = actions(version)[action]
    if row.is_send:
        station.say(action, payload, message_type=6)
        logged = wait_for_row(narke, f"{path}/messages", {"action": action, "kind": "send"}, {"outcome": "ok"})
    else:
        message_type, message_id, answer = station.say(action, payload)
        assert message_type == 3, answer
        assert [fault.text for fault in schema(version, action, "response").faults(answer)] == []
        query = {"message_id": message_id}
        wait_for_row(narke, f"{path}/messages", query | {"direction": "out"}, {"kind": "result", "outcome": "ok"})
        logged = wait_for_row(narke, f"{path}/messages", query | {"direction": "in"}, {"kind": "call"})
    kept = json.loads(redacted(json.dumps([2, "id", action, payload])))[3]  # secrets are blacked out
    assert (logged["action"], json.loads(logged["frame"])[3]) == (action, kept)
    name = f"EVERY-{version}"
    for shown, query, expected in SHOWN[action](version, payload):
        filters = {key: value.format(station=name) for key, value in query.items()}
        wait_for_row(narke, shown.format(station=name), filters, expected)


@pytest.mark.parametrize(("version", "action"), cases("from_csms"))
def test_narke_commands(narke, stations, version, action):
    """Raw, in OCPP's own words; and by each word of Narke's that says it."""
    request, _ = FROM_CSMS[version][action]
    assert_commanded(narke, stations[version], action, {"action": action, "payload": request}, request)
    for word, fields, expected in TYPED[version].get(action, ()):
        if word not in SHOWN_ELSEWHERE:
            said = fields if action == "ExtendedTriggerMessage" else FIELDS_OVER_REST.get(word, fields)
            assert_commanded(narke, stations[version], action, {"command": word, **said}, expected)


def assert_commanded(narke, station, action, body, expected):
    """Over REST, to the station, and back."""
    version, answer = Version(station.version), station.answers[action]
    before = station.called(action)
    told = narke.api("POST", f"/stations/EVERY-{version}/commands", json=body)
    assert told.status_code == 200, told.text
    said = station.wait_for_call(action, before + 1)
    assert [fault.text for fault in schema(version, action, "request").faults(said)] == []
    assert said == expected if "action" in body else contains(said, expected), said
    outcome = told.json()
    status = answer.get("status")
    assert outcome["result"] == ("refused" if status in REFUSALS else "accepted")
    assert outcome["payload"] == answer
    query = {"station": f"EVERY-{version}"}
    recorded = {"command_id": outcome["command_id"], "result": outcome["result"]}
    wait_for_row(narke, "/commands", query, recorded)


@pytest.mark.parametrize("version", Version)
def test_every_word_that_a_version_can_say_has_a_sample(version):
    words = {(action, word) for action in actions(version) for word in words_of(action, version)}
    shown = {(action, word) for action, samples in TYPED[version].items() for word, *_ in samples}
    assert words == shown
