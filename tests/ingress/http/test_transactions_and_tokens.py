"""Transactions, their CSV, and tokens."""

import csv
import io

import pytest

from storage.queries.paging import LIMIT_MAX


def test_csv_holds_every_transaction_once_over_many_pages(client, house):
    house.add_transactions("CP-1", LIMIT_MAX * 2 + 5)
    response = client.get("/api/v1/transactions?limit=3", headers={"Accept": "text/csv"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert [row["transaction_id"] for row in rows] == [f"tx-{number}" for number in range(LIMIT_MAX * 2 + 5)]
    assert rows[0]["started_at"] == "2026-05-01T12:00:00Z"
    assert rows[0]["energy_wh"] == "1500.0"
    assert rows[0]["offline"] == "false"
    assert rows[0]["ended_at"] == ""


def test_csv_of_nothing_is_its_header(client):
    response = client.get("/api/v1/transactions", headers={"Accept": "text/csv"})
    assert response.text.startswith("station,transaction_id,")
    assert response.text.count("\r\n") == 1


def test_csv_quotes_what_would_break_a_line(client, house):
    house.add_transactions("CP-1", 1, lambda _: {"token": 'a,"b"\nc'})
    response = client.get("/api/v1/transactions", headers={"Accept": "text/csv"})
    (row,) = csv.DictReader(io.StringIO(response.text, newline=""))
    assert row["token"] == 'a,"b"\nc'


def test_csv_without_postgres_is_a_problem_and_no_half_file(client, house):
    house.projection.down = True
    response = client.get("/api/v1/transactions", headers={"Accept": "text/csv"})
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("application/json, text/csv", "application/json"),
        ("text/csv;q=0.9, application/json;q=0.1", "text/csv"),
        ("text/html", "application/json"),
    ],
)
def test_json_is_the_default(client, accept, kind):
    response = client.get("/api/v1/transactions", headers={"Accept": accept})
    assert response.headers["content-type"].startswith(kind)


def test_filters_reach_the_rows(client, house):
    house.add_transactions("CP-1", 4, lambda number: {"token": "ABC" if number == 2 else "XYZ"})
    found = client.get("/api/v1/transactions?station=CP-1&token=abc&open=true").json()["items"]
    assert [row["transaction_id"] for row in found] == ["tx-2"]
    since = client.get("/api/v1/transactions", params={"since": "2026-05-01T13:59:00+02:00"}).json()["items"]
    assert [row["transaction_id"] for row in since] == ["tx-0", "tx-1"]


@pytest.mark.parametrize("name", ["4711", "a/b", "urn:x:1", "a b", "\u00e9"])
def test_a_transaction_is_found_whatever_its_name(client, house, name):
    house.add_transactions("CP-1", 1, lambda _: {"transaction_id": name})
    house.add_meter_value("CP-1", name, 5.0)
    quoted = name.replace("/", "%2F").replace(" ", "%20")
    detail = client.get(f"/api/v1/transactions/CP-1/{quoted}").json()
    assert detail["transaction"]["transaction_id"] == name
    assert [value["value"] for value in detail["meter_values"]] == [5.0]
    assert detail["complete"] is True


def test_an_unknown_transaction_is_404(client):
    response = client.get("/api/v1/transactions/CP-1/nope")
    assert response.status_code == 404
    assert "CP-1/nope" in response.json()["detail"]


def test_a_token_lives_from_put_to_delete_whatever_its_case(client):
    body = {"group": "g", "expires_at": "2027-01-01T01:00:00+01:00", "note": "n"}
    assert client.put("/api/v1/tokens/AbC", json=body).status_code == 201
    assert client.put("/api/v1/tokens/AbC", json=body | {"blocked": True}).status_code == 200
    token = client.get("/api/v1/tokens/aBc").json()
    assert (token["token"], token["blocked"], token["group"]) == ("AbC", True, "g")
    assert token["expires_at"] in {"2027-01-01T00:00:00Z", "2027-01-01T01:00:00+01:00"}
    deleted = client.delete("/api/v1/tokens/ABC")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.delete("/api/v1/tokens/ABC").status_code == 404
    assert client.get("/api/v1/tokens/ABC").status_code == 404


async def test_an_import_saves_ten_thousand_and_not_one_more(client, house):
    tokens = [{"token": f"T{number}"} for number in range(10_000)]
    assert client.post("/api/v1/tokens", json=tokens).json() == {"saved": 10_000}
    assert await house.book.token("t9999") is not None
    response = client.post("/api/v1/tokens", json=[*tokens, {"token": "one more"}])
    assert response.status_code == 422
    assert await house.book.token("one more") is None


@pytest.mark.parametrize(
    ("tokens", "where"),
    [
        ([{"token": "A"}, {"token": "a"}], "body[1].token"),
        ([{"token": "A"}, {"note": "x"}], "body[1].token"),
        ([{"token": "A", "expires_at": "2027-01-01T00:00:00"}], "body[0].expires_at"),
        ([{"token": "A", "blokced": True}], "body[0].blokced"),
        ([{"token": "x" * 256}], "body[0].token"),
        ([], "body"),
        ({"token": "A"}, "body"),
    ],
)
async def test_a_wrong_import_saves_nothing_and_says_where(client, house, tokens, where):
    response = client.post("/api/v1/tokens", json=tokens)
    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == where
    assert await house.book.token("a") is None


def test_many_faults_are_counted_not_all_told(client):
    body = client.post("/api/v1/tokens", json=[{"note": "x"}] * 50).json()
    assert len(body["errors"]) == 20
    assert body["errors_left_out"] == 30


async def test_tokens_are_listed_by_name(client, house):
    for name in ("b", "A", "c"):
        await house.add_token(name, blocked=name == "c")
    assert [row["token"] for row in client.get("/api/v1/tokens").json()["items"]] == ["A", "b", "c"]
    assert [row["token"] for row in client.get("/api/v1/tokens?blocked=true").json()["items"]] == ["c"]
