"""Payloads made from the official schemas: the least and the most that each allows."""

from typing import Any

import pytest

from engine.ocpp import schemas

_TIME = "2026-05-01T10:00:00Z"


class Example:
    """Builds an example of a schema; `full` with every optional field."""

    def __init__(self, document: dict[str, Any], *, full: bool) -> None:
        self.definitions = document.get("definitions", {})
        self.full = full

    def of(self, rule: dict[str, Any], depth: int = 0) -> Any:
        while "$ref" in rule:
            rule = self.definitions[rule["$ref"].rsplit("/", 1)[-1]]
        if "enum" in rule:
            return rule["enum"][0]
        match rule.get("type"):
            case "object":
                wanted = rule.get("required", ())
                fields = rule.get("properties", {})
                return {
                    name: self.of(inner, depth + 1)
                    for name, inner in fields.items()
                    if name in wanted or (self.full and depth < 8 and name != "customData")
                }
            case "array":
                return [self.of(rule["items"], depth + 1) for _ in range(max(rule.get("minItems", 0), 1))]
            case "string":
                return _TIME if rule.get("format") == "date-time" else "1"[: rule.get("maxLength", 1)]
            case "integer":
                return max(1, rule["minimum"]) if rule["minimum"] > 0 else min(1, rule["maximum"])
            case "number":
                return min(max(1.5, rule.get("minimum", 1.5)), rule.get("maximum", 1.5))
            case "boolean":
                return True
            case _:
                return "anything"


@pytest.fixture(scope="session")
def example():
    def build(version, action, kind, *, full=False):
        document = schemas.schema(version, action, kind).document
        return Example(document, full=full).of(document)

    return build
