"""Files of stations: CSV with a header line, or JSON. Read and checked as a whole before anything is sent."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from deploy.cli.errors import usage

Row = dict[str, Any]

_NUMBERS = frozenset({"security_profile", "security_profile_next"})
_SWITCHES = frozenset({"downgrade_allowed", "assume_ocpp16", "lenient_upgrade", "message_log"})
FIELDS = (
    "station",
    "registration",
    "security_profile",
    "password",
    "certificate_name",
    "note",
    "security_profile_next",
    "downgrade_allowed",
    "assume_ocpp16",
    "lenient_upgrade",
    "message_log",
)
_FORMS = f"CSV with the columns {','.join(FIELDS)} (station is enough), or a JSON list of objects"
_WORDS_OF_TRUTH = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}


def read_stations(file: Path) -> list[tuple[str, Row]]:
    """The stations of a file, each with its place in it (`stations.csv line 7`). An empty cell says nothing.

    Raises:
        CliError: The file cannot be read, is neither form, names no station, or one twice.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise usage(f"{file} cannot be read: {reason}", f"give a file of stations: {_FORMS}") from error
    rows = _from_json(file, text) if text.lstrip().startswith("[") else _from_csv(file, text)
    if not rows:
        raise usage(f"{file} holds no stations", "write one station a line, below the header line")
    _require_distinct(rows)
    return rows


def _from_json(file: Path, text: str) -> list[tuple[str, Row]]:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        what = f"{file} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise usage(what, f"give a file of stations: {_FORMS}") from error
    rows = []
    for index, value in enumerate(values, 1):
        where = f"{file} item {index}"
        row = {"station": value} if isinstance(value, str) else value
        if not isinstance(row, dict) or not row.get("station"):
            raise usage(f"{where} names no station", f"write {_FORMS}")
        rows.append((where, dict(row)))
    return rows


def _from_csv(file: Path, text: str) -> list[tuple[str, Row]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = [name.strip() for name in reader.fieldnames or ()]
    if "station" not in columns or not set(columns) <= set(FIELDS):
        raise usage(f"{file} line 1: the columns are {', '.join(columns) or 'missing'}", f"write {_FORMS}")
    reader.fieldnames = columns
    rows = []
    for values in reader:
        where = f"{file} line {reader.line_num}"
        if None in values:
            raise usage(f"{where} has more values than columns", "put values that hold commas in double quotes")
        cells = {name: (value or "").strip() for name, value in values.items()}
        if not cells["station"]:
            raise usage(f"{where} names no station", f"write {_FORMS}")
        rows.append((where, {name: _value(where, name, cell) for name, cell in cells.items() if cell}))
    return rows


def _value(where: str, name: str, cell: str) -> object:
    if name in _NUMBERS:
        if not cell.isdigit():
            raise usage(f"{where}: {name} is {cell!r}", "write 0, 1, 2 or 3")
        return int(cell)
    if name in _SWITCHES:
        if cell.lower() not in _WORDS_OF_TRUTH:
            raise usage(f"{where}: {name} is {cell!r}", "write true or false")
        return _WORDS_OF_TRUTH[cell.lower()]
    return cell


def _require_distinct(rows: list[tuple[str, Row]]) -> None:
    first: dict[str, str] = {}
    for where, row in rows:
        earlier = first.setdefault(str(row["station"]).casefold(), where)
        if earlier != where:
            todo = "name each once; identities that differ only in the case of letters are one"
            raise usage(f"{where}: the station {row['station']!r} is at {earlier} already", todo)
