"""Times on the command line: ISO 8601, or how long ago (90s, 15m, 2h, 7d)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from deploy.cli.errors import usage

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS_OF_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

_FORMS = "2026-05-01, 2026-05-01T12:00, or how long ago: 90s, 15m, 2h, 7d"
Since = Annotated[str | None, typer.Option(help=f"From this time on: {_FORMS}.", show_default=False)]
Until = Annotated[str | None, typer.Option(help="Before this time, written likewise.", show_default=False)]


def parse_time(text: str | None, option: str, now: datetime) -> str | None:
    """A time as the API takes it; without an offset it is local. None: not given.

    Raises:
        CliError: It is no time.
    """
    if text is None:
        return None
    if (ago := _AGO.fullmatch(text.strip())) is not None:
        return _iso(now - timedelta(seconds=int(ago[1]) * _SECONDS_OF_UNIT[ago[2]]))
    try:
        return _iso(datetime.fromisoformat(text.strip()).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise usage(f"{option}: {text!r} is no time", f"write it as {_FORMS}") from error


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_AHEAD = re.compile(r"\+(\d{1,6})([smhdw])")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_AHEAD_FORMS = "2026-05-01T12:00, 18:30 (the next), +90s, +15m, +2h, +7d, or now"
At = Annotated[str | None, typer.Option(help=f"{_AHEAD_FORMS}.", show_default=False)]


def parse_moment(text: str | None, option: str, now: datetime) -> str | None:
    """A time to come, or that has begun, as the API takes it; without an offset it is local. None: not given.

    Raises:
        CliError: It is no time.
    """
    if text is None:
        return None
    written = text.strip()
    if written == "now":
        return _iso(now)
    try:
        if (ahead := _AHEAD.fullmatch(written)) is not None:
            return _iso(now + timedelta(seconds=int(ahead[1]) * _SECONDS_OF_UNIT[ahead[2]]))
        if (clock := _CLOCK.fullmatch(written)) is not None:
            today = now.astimezone().replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
            naive = today.replace(tzinfo=None) + timedelta(days=today <= now)
            return _iso(naive.astimezone())
        return _iso(datetime.fromisoformat(written).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise usage(f"{option}: {text!r} is no time", f"write it as {_AHEAD_FORMS}") from error


def now() -> datetime:
    """The present, by this machine's clock."""
    return datetime.now(UTC)  # noqa: TID251 (a shell: the command line is where time comes in)
