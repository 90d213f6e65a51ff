"""JSON that is typed on the command line: in place, from a file (@FILE) or from standard input (-)."""

import json
from pathlib import Path
from typing import Any

import typer

from deploy.cli.errors import CliError, usage

_EXCERPT = 60


def read_payload(text: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        CliError: It is not there, no JSON, or no object: where, and what was expected.
    """
    source, written = _read(text)
    try:
        value = json.loads(written, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _no_json(source, error) from error
    except (ValueError, RecursionError) as error:
        raise usage(f"{source} is no JSON: {error}", "write a JSON object such as {}") from error
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
        raise usage(f"{source} is {kind}", 'write a JSON object such as {} or {"evse": {"id": 1}}')
    return value


def _read(text: str) -> tuple[str, str]:
    """What to call it, and its text."""
    if text == "-":
        return "the payload on standard input", typer.get_text_stream("stdin").read()
    if not text.startswith("@"):
        return "the payload on the command line", text
    file = Path(text[1:])
    try:
        return f"the payload in {file}", file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise usage(f"the payload in {file} cannot be read: {reason}", "name a file of JSON after the @") from error


def _no_json(source: str, error: json.JSONDecodeError) -> CliError:
    """With the line at fault and a mark under the place."""
    lines = error.doc.splitlines() or [""]
    line = lines[min(error.lineno, len(lines)) - 1]
    begin = max(0, error.colno - _EXCERPT)
    excerpt = line[begin : begin + 2 * _EXCERPT]
    mark = " " * (error.colno - 1 - begin) + "^"
    what = f"{source} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}\n  {excerpt}\n  {mark}"
    return usage(what, "write a JSON object such as {}; in a shell, put it in single quotes")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
