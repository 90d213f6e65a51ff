"""What stations of all versions said and were answered, and a PostgreSQL in memory that holds just that."""

from dataclasses import replace

from loadtests.audit.comparison import compare
from loadtests.audit.ledger import Ledger
from loadtests.audit.stored import StoredTransaction

AT = "2026-11-21T12:00:{:02}.{:03}Z"
V16, OTHER16, V2 = "S16", "OTHER16", "S2"
VERSIONS = {V16: "1.6", OTHER16: "1.6", V2: "2.0.1"}


def at(second, milli=0):
    return AT.format(second, milli)


def sampled16(second, register):
    values = [
        {"value": str(register), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "7.40", "measurand": "Current.Import", "unit": "A", "phase": "L1"},
    ]
    return {"timestamp": at(second), "sampledValue": [value | {"context": "Sample.Periodic"} for value in values]}


def sampled2(second, register, context):
    value = {"value": register, "measurand": "Energy.Active.Import.Register", "unitOfMeasure": {"unit": "Wh"}}
    return {"timestamp": at(second), "sampledValue": [value | {"context": context}]}


def story16(number=41):
    """Calls and replies of one transaction."""
    start = {"connectorId": 1, "idTag": "DRIVER", "meterStart": 1000, "timestamp": at(1)}
    yield "StartTransaction", start, {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
    for second, register in ((2, 1010), (3, 1025)):
        yield (
            "MeterValues",
            {"connectorId": 1, "transactionId": number, "meterValue": [sampled16(second, register)]},
            {},
        )
    stop = {"transactionId": number, "meterStop": 1040, "timestamp": at(4), "reason": "Local", "idTag": "DRIVER"}
    yield "StopTransaction", stop, {"idTagInfo": {"status": "Accepted"}}


def event(kind, sequence, second, register, context, **more):
    return {
        "eventType": kind,
        "timestamp": at(second),
        "triggerReason": "MeterValuePeriodic",
        "seqNo": sequence,
        "transactionInfo": {"transactionId": "tx-2", **more.pop("info", {})},
        "meterValue": [sampled2(second, register, context)],
        **more,
    }


def story2():
    token = {"idToken": {"idToken": "DRIVER", "type": "ISO14443"}}
    welcome = {"idTokenInfo": {"status": "Accepted"}}
    evse = {"evse": {"id": 1, "connectorId": 1}}
    yield "TransactionEvent", event("Started", 0, 1, 500, "Transaction.Begin", **token, **evse), welcome
    yield "TransactionEvent", event("Updated", 1, 2, 510, "Sample.Periodic"), {}
    end = event("Ended", 2, 3, 530, "Transaction.End", info={"stoppedReason": "Local"}, **token)
    yield "TransactionEvent", end, welcome


def book(folder):
    """A finished ledger of both stories."""
    ledger = Ledger(folder / "ledger.sqlite", VERSIONS)
    for station, story in ((V16, story16()), (V2, story2())):
        for action, payload, reply in story:
            ledger.on_answered(station, action, payload, reply)
    assert ledger.unsound == []
    ledger.finish()
    return ledger


def at_ms(second):
    return 1795262400000 + 1000 * second


class Postgres:
    """Rows that can be doctored."""

    def __init__(self, ledger):
        first = StoredTransaction(V16, "41", at_ms(1), at_ms(4), 1000, 1040, 40, "DRIVER", 1, "Local", None, ())
        second = StoredTransaction(V2, "tx-2", at_ms(1), at_ms(3), 500, 530, 30, "DRIVER", 1, "Local", 2, ())
        self.transactions = {(row.station, row.transaction_id): row for row in (first, second)}
        self.samples = dict(ledger.samples([V16, V2]))

    def change(self, station, **fields):
        [key] = [key for key in self.transactions if key[0] == station]
        self.transactions[key] = replace(self.transactions[key], **fields)

    def compare(self, ledger, unfinished=()):
        return compare(
            ledger,
            lambda some: {key: row for key, row in self.transactions.items() if key[0] in some},
            lambda some: {key: row for key, row in self.samples.items() if key.station in some},
            [V16, V2],
            unfinished=frozenset(unfinished),
        )
