"""Files of prices and CO2: CSV of start and value, or JSON. Read and checked as a whole before anything is sent."""

import csv
import json
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

from deploy.cli.errors import usage

_FORMS = (
    "CSV, a line for each value: 2026-05-01T22:00:00Z,0.31 at even steps; or JSON: "
    '{"start_at": ..., "step_s": 3600, "values": [...]}'
)


def read_series(file: Path) -> dict[str, Any]:
    """The series as the API takes it.

    Raises:
        CliError: The file cannot be read, or its steps are not even.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise usage(f"{file} cannot be read: {reason}", f"give a file of values: {_FORMS}") from None
    return _from_json(file, text) if text.lstrip().startswith("{") else _from_csv(file, text)


def _from_json(file: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise usage(f"{file} is no JSON: line {error.lineno}: {error.msg}", f"write {_FORMS}") from None
    return dict(found)


def _from_csv(file: Path, text: str) -> dict[str, Any]:
    rows: list[tuple[int, datetime, float]] = []
    for number, cells in enumerate(csv.reader(text.splitlines()), 1):
        if not any(cell.strip() for cell in cells) or (number == 1 and not cells[0][:1].isdigit()):
            continue  # an empty line, or the header
        rows.append((number, *_row(f"{file} line {number}", cells)))
    if len(rows) < 2:
        raise usage(f"{file} has {len(rows)} values", f"write at least two: {_FORMS}")
    step = rows[1][1] - rows[0][1]
    for (_, before, _), (number, at, _) in pairwise(rows):
        if at <= before:
            raise usage(f"{file} line {number}: {at.isoformat()} is not after the line before", "sort by time")
        if at - before != step:
            what = f"{file} line {number}: {at - before} after the line before, the others {step}"
            raise usage(what, "write a value for each step: there must be no gap")
    if step.total_seconds() % 1:
        raise usage(f"{file}: the step is {step}", "write whole seconds")
    values = [value for _, _, value in rows]
    return {"start_at": rows[0][1].isoformat(), "step_s": int(step.total_seconds()), "values": values}


def _row(where: str, cells: list[str]) -> tuple[datetime, float]:
    if len(cells) != 2:
        raise usage(f"{where} has {len(cells)} columns", f"write two: {_FORMS}")
    try:
        written = datetime.fromisoformat(cells[0].strip())
        at = written.astimezone(UTC)
    except (ValueError, OverflowError):
        raise usage(f"{where}: {cells[0]!r} is no time", "write it as 2026-05-01T22:00:00Z") from None
    if written.tzinfo is None:  # local hours are missing or come twice when clocks change
        raise usage(f"{where}: {cells[0]!r} has no offset", "write it as 2026-05-01T22:00:00Z or ...+02:00")
    try:
        value = float(cells[1])
    except ValueError:
        raise usage(f"{where}: {cells[1]!r} is no number", "write a number with a decimal point") from None
    if not isfinite(value):
        raise usage(f"{where}: {cells[1]!r} is no number", "write a finite number")
    return at, value
