"""Signed meter values of a transaction, and what OCMF says beside them."""

import msgspec
import pytest

from storage.queries.rows import MeterValueRow
from tests.ingress.http.house import NOW, TestHouse

OCMF = (
    'OCMF|{"PG":"T1","IS":true,"MV":"DZG","RD":[{"TM":"2026-05-01T12:00:00,000+0000 S","RV":1.5,"ST":"G"}]}|{"SD":"00"}'
)


@pytest.fixture
def house():
    house = TestHouse()
    house.add_station("CP-1")
    house.add_transactions("CP-1", 1, lambda _: {"start_received_at": NOW})
    for signed in (None, "<edl>", OCMF):
        house.add_meter_value("CP-1", "tx-0", 1.0)
        rows: list[MeterValueRow] = house.projection.tables.meter_values
        rows[-1] = msgspec.structs.replace(rows[-1], signed=signed, context="Transaction.End")
    return house


def test_they_are_verbatim_and_ocmf_is_read(client):
    other, known = client.get("/api/v1/signed-values/CP-1/tx-0").json()
    assert (other["signed"], other["format"], other["ocmf"]) == ("<edl>", None, None)
    assert (known["signed"], known["format"], known["context"]) == (OCMF, "OCMF", "Transaction.End")
    assert (known["ocmf"]["vendor"], known["ocmf"]["readings"][0]["value"]) == ("DZG", 1.5)
    assert known["ocmf"]["faults"] == []


def test_an_unknown_transaction_is_told(client):
    assert client.get("/api/v1/signed-values/CP-1/nothing").status_code == 404
