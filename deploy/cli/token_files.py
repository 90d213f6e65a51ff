"""Files of tokens: CSV with a header line, or JSON. Read and checked as a whole before anything is sent."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.cli.errors import usage
from deploy.cli.times import now, parse_time

Row = dict[str, Any]

FIELDS = (
    "token",
    "type",
    "blocked",
    "expires_at",
    "group",
    "note",
    "places",
    "hours",
    "time_zone",
    "credit",
    "concurrent_max",
    "in_local_list",
    "priority",
    "language",
    "language2",
    "message",
)
LISTS = ("places", "hours")
"""Columns with several values, separated by semicolons."""
FLAGS = ("blocked", "in_local_list")
NUMBERS: dict[str, Callable[[str], float | int]] = {"credit": float, "concurrent_max": int, "priority": int}
_FORMS = (
    "CSV with a header line of token,type,blocked,expires_at,group,note,... (token is enough; `narke tokens import "
    "--help` names all), or a JSON list of objects"
)
_WORDS_OF_TRUTH = {"": False, "0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}


def read_tokens(file: Path) -> list[tuple[str, Row]]:
    """The tokens of a file, each with its place in it (`tokens.csv line 7`).

    Raises:
        CliError: The file cannot be read, is neither form, or names a token twice.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise usage(f"{file} cannot be read: {reason}", f"give a file of tokens: {_FORMS}") from error
    rows = _from_json(file, text) if text.lstrip().startswith("[") else _from_csv(file, text)
    _require_distinct(rows)
    return rows


def _from_json(file: Path, text: str) -> list[tuple[str, Row]]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        what = f"{file} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise usage(what, f"give a file of tokens: {_FORMS}") from error
    rows = []
    for index, value in enumerate(values, 1):
        where = f"{file} item {index}"
        row = {"token": value} if isinstance(value, str) else value
        if not isinstance(row, dict) or not row.get("token"):
            raise usage(f"{where} names no token", f"write {_FORMS}")
        rows.append((where, row))
    return rows


def _from_csv(file: Path, text: str) -> list[tuple[str, Row]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = [name.strip() for name in reader.fieldnames or ()]
    if "token" not in columns or not set(columns) <= set(FIELDS):
        what = f"{file} line 1: the columns are {', '.join(columns) or 'missing'}"
        raise usage(what, f"write {_FORMS}")
    reader.fieldnames = columns
    rows = []
    for values in reader:
        where = f"{file} line {reader.line_num}"
        if None in values:
            raise usage(f"{where} has more values than columns", "put values that hold commas in double quotes")
        cells = {name: (value or "").strip() for name, value in values.items()}
        if not cells["token"]:
            raise usage(f"{where} names no token", f"write {_FORMS}")
        rows.append((where, _row_of(where, cells)))
    return rows


def _row_of(where: str, cells: dict[str, str]) -> Row:
    row: Row = {name: value for name, value in cells.items() if value}
    for name in row.keys() & set(FLAGS):
        word = cells[name].lower()
        if word not in _WORDS_OF_TRUTH:
            raise usage(f"{where}: {name} is {cells[name]!r}", "write true or false")
        row[name] = _WORDS_OF_TRUTH[word]
    for name in row.keys() & NUMBERS.keys():
        row[name] = _number(where, name, cells[name])
    for name in row.keys() & set(LISTS):
        row[name] = [part.strip() for part in cells[name].split(";") if part.strip()]
    if "expires_at" in row:
        row["expires_at"] = parse_time(cells["expires_at"], f"{where}: expires_at", now())
    return row


def _number(where: str, name: str, text: str) -> float | int:
    try:
        return NUMBERS[name](text)
    except ValueError:
        raise usage(f"{where}: {name} is {text!r}", "write a number") from None


def _require_distinct(rows: list[tuple[str, Row]]) -> None:
    first: dict[str, str] = {}
    for where, row in rows:
        earlier = first.setdefault(str(row["token"]).lower(), where)
        if earlier != where:
            raise usage(
                f"{where}: the token {row['token']!r} is at {earlier} already", "name each once; case does not matter"
            )
