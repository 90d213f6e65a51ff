"""Paging: every row exactly once."""

import pytest

from tests.ingress.http.house import TestHouse


def walk(client, path, **query):
    """All pages, by the Link header."""
    pages = []
    response = client.get(path, params=query)
    while True:
        assert response.status_code == 200, response.text
        body = response.json()
        pages.append(body["items"])
        if body["next"] is None:
            assert "Link" not in response.headers
            return pages
        assert response.links["next"]["url"].startswith("/api/v1/")
        response = client.get(response.links["next"]["url"])


@pytest.mark.parametrize("limit", [1, 7, 10, 23, 100])
def test_walking_the_pages_meets_every_station_once(client, house, limit):
    expected = [f"CP-{number:03}" for number in range(23)]
    for name in expected:
        house.add_station(name)
    pages = walk(client, "/api/v1/stations", limit=limit)
    assert [row["station"] for page in pages for row in page] == expected
    assert all(len(page) <= limit for page in pages)


def test_rows_that_come_and_go_between_pages_are_neither_repeated_nor_skipped(client, house: TestHouse):
    for number in range(10):
        house.add_station(f"CP-{number}")
    first = client.get("/api/v1/stations", params={"limit": 5}).json()
    house.add_station("CP-00")  # before the place we are at
    del house.projection.tables.seen["CP-4"]
    del house.projection.tables.reports["CP-4"]  # the row the cursor was made of
    second = client.get("/api/v1/stations", params={"limit": 50, "cursor": first["next"]}).json()
    assert [row["station"] for row in second["items"]] == [f"CP-{number}" for number in range(5, 10)]


def test_the_link_keeps_the_filters(client, house):
    for number in range(6):
        house.add_station(f"CP-{number}", connected=number % 2 == 0)
    pages = walk(client, "/api/v1/stations", limit=1, connected="true")
    assert [row["station"] for page in pages for row in page] == ["CP-0", "CP-2", "CP-4"]


def test_transactions_come_newest_first_and_each_once(client, house):
    house.add_transactions("CP-1", 12)
    pages = walk(client, "/api/v1/transactions", limit=5)
    assert [row["transaction_id"] for page in pages for row in page] == [f"tx-{number}" for number in range(12)]


def test_a_listing_can_be_followed_from_where_it_ended(client, house):
    house.add_station("CP-1")
    for _ in range(3):
        house.add_message("CP-1", "Heartbeat")
    follow = client.get("/api/v1/stations/CP-1/messages").json()["follow"]
    query = {"order": "oldest", "cursor": follow}
    assert client.get("/api/v1/stations/CP-1/messages", params=query).json()["items"] == []
    added = [house.add_message("CP-1", action).id for action in ("BootNotification", "Authorize")]
    later = client.get("/api/v1/stations/CP-1/messages", params=query).json()
    assert [row["id"] for row in later["items"]] == added


def test_a_cursor_of_another_listing_is_refused_with_its_place(client):
    response = client.get("/api/v1/stations", params={"cursor": "bm9uc2Vuc2U"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"][0]["where"] == "query.cursor"


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", ""])
def test_a_limit_out_of_bounds_is_refused(client, limit):
    response = client.get("/api/v1/stations", params={"limit": limit})
    assert response.status_code == 422
    assert response.json()["errors"][0]["where"] == "query.limit"
