"""The walk along a JSON schema that makes a maker of valid payloads of it, whatever the maker's kind.

Knows exactly the constructs that the official schemas use: objects (properties, required, additionalProperties), arrays
(items, minItems, maxItems), strings (enum, minLength, maxLength, format), integers and numbers (minimum, maximum,
multipleOf), booleans, local references without circles, and fields without any type. A construct that it does not know
is an error, so that a new edition of the schemas cannot slip through.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from loadtests.fuzz.official import Document

INTEGER_MAX = 2**63 - 1
"""Of integers without a bound of their own: 64 bits, as Narke documents it."""

_TOLD_NOTHING = frozenset(
    {"$id", "$schema", "additionalItems", "comment", "default", "definitions", "description", "javaType", "title"}
)
"""Keywords that do not restrict a value (additionalItems: items is never a list of schemas)."""
_KNOWN: dict[str | None, frozenset[str]] = {
    "object": frozenset({"type", "properties", "required", "additionalProperties"}),
    "array": frozenset({"type", "items", "minItems", "maxItems"}),
    "string": frozenset({"type", "enum", "minLength", "maxLength", "format", "additionalProperties"}),
    "integer": frozenset({"type", "minimum", "maximum"}),
    "number": frozenset({"type", "minimum", "maximum", "multipleOf"}),
    "boolean": frozenset({"type"}),
    None: frozenset(),
}
"""What restricts a value of a type. `additionalProperties` beside a string means nothing."""

T = TypeVar("T")


class Maker(Protocol[T]):
    """Makes makers of values: a hypothesis strategy, or a function of a chance."""

    def text(self, length_min: int, length_max: int | None, form: str | None) -> T:
        """A text. `form`: date-time or uri, which the schemas' users do not check."""

    def word(self, words: Sequence[str]) -> T:
        """One of these."""

    def integer(self, low: int, high: int) -> T:
        """An integer, both bounds included."""

    def number(self, low: float | None, high: float | None, step: float | None) -> T:
        """A number; `step`: it is a multiple of this."""

    def boolean(self) -> T:
        """True or false."""

    def array(self, item: T, count_min: int, count_max: int | None) -> T:
        """A list."""

    def record(self, required: Mapping[str, T], optional: Mapping[str, T], *, is_open: bool) -> T:
        """An object. `is_open`: it may have properties of any name besides."""

    def anything(self) -> T:
        """Any JSON."""


def made(document: Document, maker: Maker[T]) -> T:
    """A maker of payloads that the schema accepts.

    Raises:
        ValueError: A construct that the walk does not know.
    """
    return _Walk(document, maker).of(document)


class _Walk(Generic[T]):
    def __init__(self, document: Document, maker: Maker[T]) -> None:
        self._definitions: Document = document.get("definitions", {})
        self._maker = maker

    def of(self, rule: Document) -> T:
        """The maker of one part of the schema."""
        while "$ref" in rule:
            rule = self._definitions[rule["$ref"].rsplit("/", 1)[-1]]
        kind = rule.get("type")
        strange = set(rule) - _KNOWN.get(kind, frozenset()) - _TOLD_NOTHING
        if kind not in _KNOWN or strange:
            raise ValueError(f"the schemas use what the walk does not know: type {kind}, {sorted(strange)}")
        match kind:
            case "object":
                return self._record(rule)
            case "array":
                return self._maker.array(self.of(rule["items"]), rule.get("minItems", 0), rule.get("maxItems"))
            case "string" if "enum" in rule:
                return self._maker.word(rule["enum"])
            case "string":
                return self._maker.text(rule.get("minLength", 0), rule.get("maxLength"), rule.get("format"))
            case "integer":
                low, high = rule.get("minimum", -INTEGER_MAX), rule.get("maximum", INTEGER_MAX)
                return self._maker.integer(int(low), int(high))
            case "number":
                return self._maker.number(rule.get("minimum"), rule.get("maximum"), rule.get("multipleOf"))
            case "boolean":
                return self._maker.boolean()
            case _:
                return self._maker.anything()

    def _record(self, rule: Document) -> T:
        required = rule.get("required", ())
        fields = {name: self.of(part) for name, part in rule.get("properties", {}).items()}
        return self._maker.record(
            {name: part for name, part in fields.items() if name in required},
            {name: part for name, part in fields.items() if name not in required},
            is_open=rule.get("additionalProperties", True) is not False,
        )
