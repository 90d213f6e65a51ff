"""OpenAPI: complete, and its examples are true."""

import jsonschema_rs
import pytest

from ingress.http.api import examples
from ingress.http.app import create_app
from tests.ingress.http.house import TestHouse

DOCUMENT = create_app(TestHouse().services).openapi()
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
METHODS = [pytest.param(*case.values[1:], id=case.id) for case in OPERATIONS]


def valid(schema, value):
    whole = {"components": DOCUMENT["components"], **schema}
    errors = [f"{error.instance_path}: {error.message}" for error in jsonschema_rs.iter_errors(whole, value)]
    assert errors == []


@pytest.mark.parametrize(("method", "operation"), METHODS)
def test_the_answer_of_each_route_has_an_example_that_its_schema_accepts(method, operation):
    answers = [answer for status, answer in operation["responses"].items() if status in {"200", "201"}]
    if method == "delete":
        assert set(operation["responses"]) >= {"204"}
        return
    assert answers
    for answer in answers:
        content = answer["content"]
        pictures = [media for kind, media in content.items() if kind.startswith("image/")]
        for media in pictures or [content["application/json"]]:
            valid(media["schema"], media["example"])


@pytest.mark.parametrize(("method", "operation"), METHODS)
def test_the_body_of_each_route_has_an_example_that_its_schema_accepts(method, operation):
    if "requestBody" not in operation:
        assert method in {"get", "delete"}
        return
    media = operation["requestBody"]["content"]["application/json"]
    schema = media["schema"]
    shown = (
        [example["value"] for example in media.get("examples", {}).values()]
        if isinstance(media.get("examples"), dict)
        else []
    )
    shown += schema.get("examples", [])
    shown += DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {}).get("examples", [])
    assert shown, "no example"
    for example in shown:
        valid(schema, example)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_each_route_tells_its_errors_as_problems(path, method, operation):
    assert operation["description"]
    for status in ("401", "403", "422", "500", "503"):
        assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
    if "{" in path and method == "get":
        assert "404" in operation["responses"]


def test_every_reference_leads_somewhere():
    schemas = DOCUMENT["components"]["schemas"]

    def references(part):
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from references(inner)

    found = set(references(DOCUMENT))
    assert found
    assert {reference for reference in found if reference.rpartition("/")[2] not in schemas} == set()
    assert "HTTPValidationError" not in schemas


def test_names_of_operations_are_unique():
    names = [parameter.values[2]["operationId"] for parameter in OPERATIONS]
    assert len(set(names)) == len(names)


def test_the_example_of_a_problem_is_one():
    valid({"$ref": "#/components/schemas/ProblemBody"}, examples.PROBLEM)


def test_the_description_is_served_to_those_with_a_key(client):
    assert client.get("/api/v1/openapi.json").json()["info"]["title"] == "Narke"


@pytest.mark.parametrize("name", list(examples.COMMAND_BODIES))
def test_examples_of_commands_are_taken(client, house, name):
    house.add_station("CP-0001")
    response = client.post("/api/v1/stations/CP-0001/commands", json=examples.COMMAND_BODIES[name]["value"])
    assert response.status_code == 200, response.text
