"""What stations keep of customers, over HTTP: for administrators alone, and deleted on request."""

import pytest

from engine.model.codec import decode_operator_entry
from engine.model.diagnostics import (
    CustomerInformationAsked,
    CustomerInformationForgotten,
    CustomerInformationRecorded,
)
from engine.model.facts import JournalEntry, StationFacts
from ingress.http.keys import Scope
from storage.journal_reader import StreamEntry
from storage.keys import OPERATOR
from tests.ingress.http.house import NOW

ADDRESS = "/api/v1/stations/CP-1/customer-information/7"


@pytest.fixture
async def asked(house):
    """A report of two pages stands in the projection."""
    facts = (
        CustomerInformationAsked(7, "c1", report=True, clear=False, noted_at=NOW, accepted=True, answer="Accepted"),
        CustomerInformationRecorded(7, 0, 0, "Name: ", NOW, more=True),
        CustomerInformationRecorded(7, 1, 1, "Jane", NOW, complete=True),
    )
    entry = JournalEntry("default", NOW, (StationFacts("CP-1", facts),))
    await house.projection.apply([StreamEntry("s0", "1-0", entry)])


@pytest.mark.usefixtures("asked")
def test_an_administrator_reads_all_pages(client):
    answer = client.get(ADDRESS).json()
    assert (answer["text"], answer["complete"], answer["request_id"]) == ("Name: Jane", True, 7)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("scope", [Scope.READ, Scope.OPERATE])
def test_nobody_else_does(house, client_of, scope):
    client = client_of(house, scope)
    assert client.get(ADDRESS).status_code == 403
    assert client.delete(ADDRESS).status_code == 403
    listed = client.get("/api/v1/customer-information", params={"station": "CP-1"})
    assert listed.status_code == 200
    assert "Jane" not in listed.text
    assert client.get("/api/v1/customer-information-texts").status_code == 404


@pytest.mark.usefixtures("asked")
def test_it_is_deleted_on_request(house, client):
    assert client.delete(ADDRESS).status_code == 204
    [fact] = [fact for _, entry in house.store.streams[OPERATOR] for fact in decode_operator_entry(entry).facts]
    assert fact == CustomerInformationForgotten("CP-1", 7, NOW, "admin key")


@pytest.mark.parametrize("method", ["get", "delete"])
def test_what_nobody_asked_is_not_found(client, method):
    answer = getattr(client, method)(ADDRESS)
    assert answer.status_code == 404
    assert "customer-information" in answer.json()["what_to_do"]
