"""`python -m loadtests.bench`: measures, prints the table, writes build/bench.json; see docs/benchmark.md."""

import argparse
import dataclasses
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtests.bench import machine, system
from loadtests.bench.bench import STAGE_SETTINGS, Row, Run, Stage, elapsed_printer
from loadtests.bench.plan import QUICK, WHOLE, Plan
from loadtests.bench.report import table
from loadtests.bench.rows import ROWS
from loadtests.bench.summary import figures, targets

RESULT = Path("build/bench.json")
ROUNDS_MAX = 20
EXIT_INCOMPLETE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, judged."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench",
        description="Measures a whole Narke against two yardsticks. See docs/benchmark.md.",
        epilog="rows: " + "; ".join(f"{row.name} ({row.what})" for row in ROWS),
    )
    parser.add_argument("--quick", action="store_true", help="smaller numbers, at most 2 minutes instead of 15")
    parser.add_argument("--rows", type=_names, default=names, metavar="A,B", help="only these rows; default: all")
    parser.add_argument("--rounds", type=_count, help="of Narke and its yardsticks in turns, instead of the plan's")
    parser.add_argument(
        "--json",
        type=Path,
        help=f"where the result goes; default: {RESULT}, or nowhere with --rows, so that no whole result is lost",
    )
    parser.add_argument(
        "--data-dir", type=Path, help="measure the Narke that runs on this data directory instead of a fresh one"
    )
    asked = parser.parse_args(words)
    unknown = [name for name in asked.rows if name not in names]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}; rows are {', '.join(names)}")
    return asked


def _names(words: str) -> list[str]:
    return [name for word in words.split(",") if (name := word.strip())]


def _count(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= ROUNDS_MAX:
        raise argparse.ArgumentTypeError(f"a number from 1 to {ROUNDS_MAX}, not {word!r}")
    return int(word)


def result_of(run: Run, conditions: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The whole result, as the file has it."""
    values = figures(run.told)
    return {
        **conditions,
        "seconds": round(seconds, 1),
        **values,
        "targets": targets(values),
        "failed": run.failed,
        "narke": run.notes,
        "rows": run.told,
    }


def write(path: Path, result: dict[str, Any]) -> None:
    """The result appears as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def conditions_of(plan: Plan, attached: Path | None) -> dict[str, Any]:
    """What was measured where, before it begins. `attached`: data directory of a Narke that runs already."""
    here = machine.described()
    literal = {f"{name} (row literal)": value for name, value in STAGE_SETTINGS[Stage.LITERAL].items()}
    return {
        "quick": plan.quick,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": here,
        "warning": machine.busy(here),
        "versions": machine.versions(),
        "attached": None if attached is None else str(attached),
        "settings": None if attached else {**system.SETTINGS, **literal},
    }


def main(words: Sequence[str] | None = None) -> int:
    """Runs the rows; returns the exit status: 0 all were measured, 1 some were not, 2 it could not begin."""
    asked = arguments(words)
    plan = QUICK if asked.quick else WHOLE
    plan = dataclasses.replace(plan, rounds=asked.rounds or plan.rounds)
    chosen = [row for row in ROWS if row.name in asked.rows]
    try:
        machine.allow_files(max(plan.storm_stations, *plan.throughput_stations))
    except machine.TooFewFiles as error:
        _show(f"error: {error}")
        return EXIT_USAGE
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: everything is stopped
    conditions = conditions_of(plan, asked.data_dir)
    path = asked.json or (RESULT if len(chosen) == len(ROWS) and asked.data_dir is None else None)
    RESULT.parent.mkdir(exist_ok=True)  # not /tmp, which may be memory: there fsync costs nothing
    with tempfile.TemporaryDirectory(prefix="bench-", dir=RESULT.parent, ignore_cleanup_errors=True) as folder:
        try:
            return _measured(
                Run(plan, Path(folder).resolve(), elapsed_printer(_show), asked.data_dir), chosen, conditions, path
            )
        except KeyboardInterrupt:
            _show("interrupted; everything is stopped, nothing was written")
            return EXIT_INTERRUPTED


def _measured(run: Run, chosen: Sequence[Row], conditions: dict[str, Any], path: Path | None) -> int:
    began = time.monotonic()
    run.all(chosen)
    result = result_of(run, conditions, time.monotonic() - began)
    print(table(result))  # noqa: T201 (a command)
    if path is not None and run.told:
        write(path, result)
        _show(f"\n{path} is written")
    elif path is not None:
        _show(f"\nnothing was measured; {path} stays as it was")
    return EXIT_INCOMPLETE if run.failed else 0


def _show(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 (progress of a command)


if __name__ == "__main__":
    sys.exit(main())
