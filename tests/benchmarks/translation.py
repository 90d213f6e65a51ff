"""What validation and translation of one message cost in CPU, beside the `ocpp` library's validation: a bench row.

    python -m tests.benchmarks.translation [--json] [--seconds 2]

In one process, each part for itself: `understand` (official schema, repairs, payload to word), `answer` (word to
payload, official schema) and, for what Narke calls, `command` and `outcome`. The library's part is what it does to
validate the same payloads both ways. Weighted by a station's day (`DAY`, in messages of a thousand); `every action`
takes each action once. The target is under 15 us per message.
"""

import argparse
import gc
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from time import process_time

import orjson
from ocpp import messages
from ocpp.exceptions import OCPPError
from ocpp.messages import Call, CallResult

from engine.model.envelopes import Answered
from engine.ocpp import catalogue, schemas
from engine.ocpp.versions import Version
from loadtests.bench.wire import meter_values
from tests.conformance.deciding import Hosted
from tests.conformance.samples.every import BOOT, FROM_CSMS, FROM_STATION

TARGET_US = 15.0
_METER_16 = orjson.loads(meter_values(b"1", 1, b"2026-11-21T10:00:00.000Z", 12_345))[3]
_ALIKE = ("context", "measurand", "phase", "location")
_SAMPLES_2 = [
    {
        "value": float(each["value"]),
        "unitOfMeasure": {"unit": each["unit"]},
        **{name: each[name] for name in _ALIKE if name in each},
    }
    for each in _METER_16["meterValue"][0]["sampledValue"]
]
_UPDATED = {
    "eventType": "Updated",
    "timestamp": "2026-11-21T10:00:00.000Z",
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 7,
    "transactionInfo": {"transactionId": "5f2c9a34-0c1e-4d53-9a5e-2f3c1e5b7a10", "chargingState": "Charging"},
    "meterValue": [{"timestamp": "2026-11-21T10:00:00.000Z", "sampledValue": _SAMPLES_2}],
}
DAY = {
    Version.V16: {"MeterValues": 880, "Heartbeat": 60, "StatusNotification": 40, "Authorize": 6, "StartTransaction": 6,
                  "StopTransaction": 6, "BootNotification": 1, "FirmwareStatusNotification": 1},
    Version.V201: {"TransactionEvent": 892, "Heartbeat": 60, "StatusNotification": 40, "Authorize": 6,
                   "BootNotification": 1, "NotifyEvent": 1},
    Version.V21: {"TransactionEvent": 892, "Heartbeat": 60, "StatusNotification": 40, "Authorize": 6,
                  "BootNotification": 1, "NotifyEvent": 1},
}  # fmt: skip
"""Messages of a thousand; MeterValues and TransactionEvent carry the benchmark's five values."""


def said(version, action):
    """What a station says of an action: the sample, or the benchmark's meter values."""
    if action == "MeterValues" and version is Version.V16:
        return _METER_16
    return _UPDATED if action == "TransactionEvent" else FROM_STATION[version][action]


def cpu_us(call: Callable[[], object], seconds: float) -> float:
    """CPU of one call: the least of several series, so that the machine's other work does not count."""
    count, best = 1, float("inf")
    while True:
        began = process_time()
        for _ in range(count):
            call()
        spent = process_time() - began
        if spent > seconds / 200:
            break
        count *= 4
    for _ in range(5):
        began = process_time()
        for _ in range(count):
            call()
        best = min(best, (process_time() - began) / count * 1e6)
    return best


def of_station(version, action, seconds):
    """(understand and answer, the library's validation of both) of one message of a station, us."""
    payload = said(version, action)
    station = Hosted()
    station.connect(version)
    station.says(catalogue.understand(version, "BootNotification", BOOT[version]).report)
    row = catalogue.actions(version)[action]
    verdict = station.says(catalogue.understand(version, action, payload).report, is_send=row.is_send)
    ours = cpu_us(lambda: catalogue.understand(version, action, payload), seconds)
    library = cpu_us(validating(version, Call, "1", action, payload), seconds)
    if isinstance(verdict, Answered):
        answer = verdict.answer
        told = catalogue.answer_payload(version, action, answer)
        ours += cpu_us(lambda: catalogue.answer_payload(version, action, answer), seconds)
        library += cpu_us(validating(version, CallResult, "1", told, action), seconds)
    return ours, library


def of_csms(version, action, seconds):
    """(check and outcome, the library's validation of both) of one message of Narke's, us."""
    request, answer = FROM_CSMS[version][action]
    ours = cpu_us(lambda: schemas.check(version, action, "request", request), seconds)
    ours += cpu_us(lambda: catalogue.outcome_of(version, action, answer), seconds)
    library = cpu_us(validating(version, Call, "1", action, request), seconds)
    return ours, library + cpu_us(validating(version, CallResult, "1", answer, action), seconds)


def validating(version, kind, *fields):
    """The library's validation, in this thread, which is cheaper. It changes the message, so a new one each time."""

    def validate():
        with suppress(OCPPError, StopIteration):  # it refuses some sound payloads: it has worked all the same
            messages.validate_payload(kind(*fields), version.value).send(None)

    return validate


def row(seconds: float) -> dict[str, dict[str, float]]:
    """By version: weighted by the day, and every action once."""
    told = {}
    for version in Version:
        cost = {action: of_station(version, action, seconds) for action in FROM_STATION[version]}
        weight = sum(DAY[version].values())
        ours, library = (sum(cost[name][i] * n for name, n in DAY[version].items()) / weight for i in (0, 1))
        every = [*cost.values(), *(of_csms(version, action, seconds) for action in FROM_CSMS[version])]
        each_ours, each_library = (sum(pair[i] for pair in every) / len(every) for i in (0, 1))
        most = max(cost, key=lambda name: cost[name][0])
        told[version.value] = {
            "us": round(ours, 2),
            "library_us": round(library, 1),
            "ratio": round(ours / library, 4),
            "every_action_us": round(each_ours, 2),
            "every_action_library_us": round(each_library, 1),
            "dearest": most,
            "dearest_us": round(cost[most][0], 2),
        }
    return told


def main() -> int:
    """Prints the row; 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="the row as JSON")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long one action takes, roughly")
    given = parser.parse_args()
    gc.disable()
    messages.ASYNC_VALIDATION = False
    told = row(given.seconds)
    if given.json:
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        lines = [f"{'CPU per message':24}" + "".join(f"{version:>10}" for version in told)]
        names = ("us", "library_us", "ratio", "every_action_us", "every_action_library_us", "dearest_us")
        lines += [f"{name:24}" + "".join(f"{each[name]:>10}" for each in told.values()) for name in names]
        sys.stdout.write("\n".join(lines) + "\n")
    return int(any(of_version["us"] >= TARGET_US for of_version in told.values()))


if __name__ == "__main__":
    sys.exit(main())
