"""docs/cli.md against the command line, docs/operating.md against the metrics."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from deploy.cli import app
from deploy.cli.errors import ExitCode

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name)


COMMANDS = sorted(leaves(typer.main.get_command(app)))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_is_on_the_page(command):
    assert re.search(rf"narke {' '.join(command)}\b", PAGE), f"docs/cli.md does not show `narke {' '.join(command)}`"


@pytest.mark.parametrize("page", [PAGE, OPERATING], ids=["cli", "operating"])
def test_a_page_shows_no_command_that_does_not_exist(page):
    groups = {command[0] for command in COMMANDS if len(command) > 1}
    shown = re.findall(r"^\$? ?narke ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", page, re.MULTILINE)
    shown += re.findall(r"`narke ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", page)
    for first, second in shown:
        wanted = (first, second) if second and first in groups else (first,)
        assert any(command[: len(wanted)] == wanted for command in COMMANDS), f"narke {' '.join(wanted)}"


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_status_is_on_the_page(code):
    assert f"\n| {code.value} | " in PAGE


def test_every_metric_is_on_the_page_of_operating():
    declared = set()
    for file in ("actors", "deploy", "ingress", "storage"):
        for source in (ROOT / file).rglob("*.py"):
            text = source.read_text(encoding="utf-8")
            declared |= set(re.findall(r'(?:Counter|Gauge|Histogram)\(\s*"(narke_\w+)"', text))
    assert declared, "no metric was found"
    for name in sorted(declared):
        assert name.removesuffix("_total") in OPERATING, f"docs/operating.md does not tell of {name}"
