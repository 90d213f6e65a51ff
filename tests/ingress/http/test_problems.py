"""Errors are problem+json, whatever goes wrong."""

import pytest
import structlog

from ingress.http.settings import HttpSettings
from tests.ingress.http.house import TestHouse

JSON = {"Content-Type": "application/json"}


def problem(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:narke:problem:")
    assert body["title"]
    assert body["detail"]
    assert body["what_to_do"]
    assert body["instance"].startswith("/")
    return body


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/api/v1/nope", "/api/v1/stations/", "/docs", "/api/v1/docs", "/healthz/"]
)
def test_an_unknown_path_is_a_problem(client, path):
    problem(client.get(path), 404)


def test_an_unknown_method_is_a_problem_that_names_the_known_ones(client):
    response = client.post("/api/v1/status")
    assert "GET" in problem(response, 405)["what_to_do"]
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b'{"note": "a",}', "character 13"),
        (b"{", "character 1"),
        (b"\xff\xfe", "body"),
        (b"", "body"),
    ],
)
def test_broken_json_is_refused_with_its_place(client, content, where):
    response = client.put("/api/v1/tokens/T", content=content, headers=JSON)
    assert response.status_code in {400, 422}
    body = problem(response, response.status_code)
    assert where in str(body)


def test_a_body_without_its_content_type_is_told_so(client):
    body = problem(client.put("/api/v1/tokens/T", content=b"{}", headers={"Content-Type": "text/plain"}), 422)
    assert "Content-Type" in body["what_to_do"]


@pytest.fixture
def small(client_of):
    return client_of(TestHouse(settings=HttpSettings(body_bytes_max=1024)))


def test_a_body_announced_too_large_is_refused_unread(small):
    body = problem(small.put("/api/v1/tokens/T", content=b"x" * 1025, headers=JSON), 413)
    assert "1024" in body["detail"]


def test_a_body_without_announced_length_is_cut_at_the_bound(small):
    def chunks():
        for _ in range(10):
            yield b" " * 512

    problem(small.put("/api/v1/tokens/T", content=chunks(), headers=JSON), 413)


def test_a_body_at_the_bound_is_taken(small):
    content = b'{"note":"' + b"n" * 900 + b'"}'
    content += b" " * (1024 - len(content))
    assert small.put("/api/v1/tokens/T", content=content, headers=JSON).status_code == 201


def test_a_bug_is_500_with_an_id_that_is_in_the_log(client, house):
    async def broken(*_):
        raise RuntimeError("secret of the house")

    house.gateway.command = broken
    house.add_station("CP-1")
    with structlog.testing.capture_logs() as logs:
        response = client.post("/api/v1/stations/CP-1/reset", json={})
    body = problem(response, 500)
    assert "secret" not in response.text
    (entry,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert entry["id"] == body["id"]
    assert entry["path"] == "/api/v1/stations/CP-1/reset"


def test_more_requests_at_once_than_the_bound_are_sent_away(client_of, house):
    other: list = []

    async def gateway(_request):
        other.append(app_client.get("/api/v1/stations").status_code)
        other.append(app_client.get("/healthz").status_code)
        return house.gateway.outcome

    bounded = TestHouse(
        settings=HttpSettings(requests_max=1), gateway=type("G", (), {"command": staticmethod(gateway)})()
    )
    bounded.add_station("CP-1")
    app_client = client_of(bounded)
    assert app_client.post("/api/v1/stations/CP-1/reset", json={}).status_code == 200
    assert other == [503, 200]
    assert app_client.get("/api/v1/stations").status_code == 200
