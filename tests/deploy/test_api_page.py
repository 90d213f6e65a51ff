"""docs/api.md against the routes, the kinds of problem and the results of commands."""

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from engine.model.commands import Result
from ingress.http import health
from ingress.http.app import API_PREFIX, PARTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

ROUTES = sorted(
    f"{method} {prefix}{re.sub(r':path', '', route.path)}"
    for prefix, router in (("", health.router), *((API_PREFIX, part.router) for part in PARTS))
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
)


def test_the_routes_were_found():
    assert "GET /api/v1/stations/{station}" in ROUTES
    assert "DELETE /api/v1/tokens/{value}" in ROUTES


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_has_a_row_on_the_page(route):
    assert f"\n| `{route}` | " in PAGE


def test_the_page_shows_no_route_that_does_not_exist():
    assert set(re.findall(r"^\| `([A-Z]+ /[^`]*)`", PAGE, re.MULTILINE)) <= set(ROUTES)


@pytest.mark.parametrize("result", Result)
def test_every_result_of_a_command_is_on_the_page(result):
    assert f"\n| `{result.value}` | " in PAGE


def test_every_kind_of_problem_is_on_the_page():
    kinds = set()
    for source in (ROOT / "ingress" / "http").rglob("*.py"):
        text = source.read_text(encoding="utf-8")
        kinds |= set(re.findall(r'(?:Problem|_problem)\(\s*\d{3},\s*"([a-z-]+)"', text))
        kinds |= {f"unknown-{what}" for what in re.findall(r'not_found\(\s*"([a-z]+)"', text)}
    assert kinds >= {"unauthorized", "unknown-station", "station-offline"}
    for kind in sorted(kinds):
        assert f"`{kind}`" in PAGE, kind
