"""The rules of the house that tools alone do not see: floors, lengths, docstrings, mirrored tests, reasons, links.

Each rule looks at all of the product; what is excepted stands here, by name and with its reason.
"""

import ast
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("engine", "actors", "ingress", "storage", "smartcharging", "deploy", "loadtests")

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
CLASS_METHODS_MAX = 25
LONG: dict[str, str] = {
    "ingress/ocpp/batching.py:Courier": "33 short methods around one set of queues; in parts they would share it all",
    "loadtests/station.py:Station": "all that a station says and obeys, a short method each",
    "loadtests/swarm/station.py:Station": "the same for Locust, whose greenlets share no code with asyncio",
    "ingress/ocpp/session.py:StationSession": "one conversation: a method for each thing that its three neighbours say",
    "ingress/ocpp/connection.py:Connection": "half of its methods are callbacks that asyncio and the session demand",
}
"""What is longer than the bounds, as `file` or `file:name`: the reason."""

NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "misc"}

COVERED_ELSEWHERE = {
    # deploy
    "deploy/simulation/*": "tests/deploy/simulation/test_run.py",
    # engine
    "engine/model/*": "tests/engine/test_model.py",
    "engine/ports.py": "tests/storage/redis/test_journal_contract.py",
    "engine/ocpp/answers.py": "tests/engine/ocpp/test_catalogue.py",
    "engine/ocpp/translation.py": "tests/engine/ocpp/test_catalogue.py",
    "engine/ocpp/versions.py": "tests/engine/ocpp/test_catalogue.py",
    "engine/ocpp/v16/configuration_keys.py": "tests/engine/ocpp/v16/test_provisioning.py",
    "engine/ocpp/v16/connectors.py": "tests/engine/ocpp/v16/test_availability.py",
    "engine/ocpp/v16/dialect.py": "tests/engine/ocpp/test_catalogue.py",
    "engine/rating/*": "tests/engine/rating",
    "engine/station/blocks.py": "tests/engine/station/test_decider.py",
    "engine/station/der_memory.py": "tests/engine/station/test_der_control.py",
    "engine/station/diagnostics_memory.py": "tests/engine/station/test_diagnostics.py",
    "engine/station/display_memory.py": "tests/engine/station/test_display_message.py",
    "engine/station/firmware_memory.py": "tests/engine/station/test_firmware.py",
    "engine/station/known_costs.py": "tests/engine/station/test_tariff_and_cost.py",
    "engine/station/known_swaps.py": "tests/engine/station/test_battery_swap.py",
    "engine/station/monitoring_memory.py": "tests/engine/station/test_monitoring.py",
    "engine/station/clocks.py": "tests/engine/station/test_transactions.py",
    "engine/station/context.py": "tests/engine/station/test_decider.py",
    "engine/station/effects.py": "tests/engine/station/test_decider.py",
    "engine/station/ledger.py": "tests/engine/station/test_state.py",
    "engine/station/policy.py": "tests/engine/station/test_decider.py",
    "engine/station/queue.py": "tests/engine/station/test_commands.py",
    # smartcharging
    "smartcharging/horizon/__init__.py": "tests/smartcharging/horizon",
    "smartcharging/problem.py": "tests/smartcharging/test_problem_check.py",
    "smartcharging/words.py": "tests/smartcharging/wire",
    "smartcharging/wire/__init__.py": "tests/smartcharging/wire",
    # actors
    "actors/gateway.py": "tests/test_core_in_process.py",
    "actors/hosted_station.py": "tests/actors/test_station_actor.py",
    "actors/metrics.py": "tests/actors/test_station_actor.py",
    "actors/postgres_projection.py": "tests/storage/postgres/test_projector.py",
    "actors/projector.py": "tests/test_core_in_process.py",
    "actors/router.py": "tests/test_core_in_process.py",
    "actors/session_reaper.py": "tests/test_story_v16.py",
    "actors/postgres_campaigns.py": "tests/test_commands.py",
    "actors/planner_sites.py": "tests/actors/test_planner.py",
    "actors/postgres_planner.py": "tests/storage/postgres/test_station_stories.py",
    "actors/taken.py": "tests/actors/test_gateway.py",
    "actors/*settings.py": "tests/deploy/test_settings.py",
    "actors/transaction_numbers.py": "tests/actors/test_station_actor.py",
    "actors/turn.py": "tests/actors/test_station_actor.py",
    # ingress
    "ingress/http/*": "tests/ingress/http",
    "ingress/ocpp/acquaintance.py": "tests/ingress/ocpp/test_quirks_end_to_end.py",
    "ingress/ocpp/listening.py": "tests/ingress/ocpp/test_connection.py",
    "ingress/ocpp/lanes.py": "tests/ingress/ocpp/test_batching.py",
    "ingress/metrics.py": "tests/ingress/ocpp/test_server.py",
    "ingress/settings.py": "tests/deploy/test_settings.py",
    # storage: what needs Redis is tested together, and so is what needs PostgreSQL
    "storage/arrivals.py": "tests/storage/redis",
    "storage/authority/*": "tests/storage/authority",
    "storage/blocks/*": "tests/storage/postgres/test_blocks.py",
    "storage/tariff_book.py": "tests/storage/redis",
    "storage/site_*.py": "tests/storage/redis/test_site_book.py",
    "storage/journal*.py": "tests/storage/redis",
    "storage/keys.py": "tests/storage/redis",
    "storage/layout.py": "tests/storage/redis",
    "storage/message_log*.py": "tests/storage/redis/test_message_log.py",
    "storage/operator_book*.py": "tests/storage/redis/test_operator_book.py",
    "storage/redis_*.py": "tests/storage/redis/test_redis_client.py",
    "storage/restore.py": "tests/storage/redis",
    "storage/migrations/*": "tests/storage/postgres/test_schema.py",
    "storage/partitions.py": "tests/storage/postgres/test_retention.py",
    "storage/postgres*.py": "tests/storage/postgres/test_server.py",
    "storage/projection/*": "tests/storage/postgres",
    "storage/projection_memory.py": "tests/storage/postgres/test_projection.py",
    "storage/queries/*": "tests/storage/postgres/test_projection.py",
    "storage/retention.py": "tests/storage/postgres/test_retention.py",
    "storage/schema.py": "tests/storage/postgres/test_schema.py",
    # deploy
    "deploy/cli/*": "tests/deploy/cli",
    "deploy/demo.py": "tests/test_story_v16.py",
    "deploy/doctor/*": "tests/deploy/test_doctor.py",
    "deploy/metrics.py": "tests/test_story_v16.py",
    "deploy/servers/*": "tests/deploy/servers",
    "deploy/settings_catalogue.py": "tests/deploy/test_settings.py",
    "deploy/supervisor.py": "tests/test_crash.py",
    "deploy/system.py": "tests/test_story_v16.py",
    "deploy/up.py": "tests/test_story_v16.py",
    "deploy/wiring/*": "tests/test_story_v16.py",
    # loadtests
    "loadtests/*": "tests/loadtests",
}
"""Modules (or patterns of them) without a test at the mirrored place: the test file or folder that has it."""

REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("pypi", "python", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("anaconda", "org"),
        ("anaconda", "com"),
        ("proxy", "golang", "org"),
        ("maven", "apache", "org"),
    )
)
"""In parts, for this file is looked through too."""

_SILENCED = re.compile(
    r"#\s*(?P<tool>noqa|type:\s*ignore)\b(?P<codes>:\s*[\w, ]+?|\[[\w, -]+\])?(?P<reason>\s*[(#].*|)$"
)
_MARK = re.compile(r"(?=#\s*(?:noqa|type:\s*ignore)\b)")
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?(?P<target>[^)\s>]+)>?[^)]*\)")
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


@cache
def modules() -> tuple[Path, ...]:
    return tuple(sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")))


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def defined(module: Path, kinds: type | tuple[type, ...]) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree_of(module)) if isinstance(node, kinds))


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"not a git checkout: {listed.stderr.strip()}")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_imports_run_one_way_only():
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_is_longer_than_one_can_read():
    long = {name_of(module): len(module.read_text().splitlines()) for module in modules()}
    assert {name: lines for name, lines in long.items() if lines > FILE_LINES_MAX and name not in LONG} == {}


def test_no_function_is_longer_than_one_can_read():
    long = {
        f"{name_of(module)}:{node.name}": node.end_lineno - node.lineno + 1
        for module in modules()
        for node in defined(module, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert {name: lines for name, lines in long.items() if lines > FUNCTION_LINES_MAX and name not in LONG} == {}


def methods_of_classes() -> dict[str, int]:
    return {
        f"{name_of(module)}:{node.name}": sum(
            isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body
        )
        for module in modules()
        for node in defined(module, ast.ClassDef)
    }


def test_no_class_does_too_much():
    many = {name: count for name, count in methods_of_classes().items() if count > CLASS_METHODS_MAX}
    assert {name: count for name, count in many.items() if name not in LONG} == {}


def test_an_exception_from_the_lengths_is_dropped_when_it_is_not_needed_any_more():
    lengths = {name: count > CLASS_METHODS_MAX for name, count in methods_of_classes().items()}
    for module in modules():
        lengths[name_of(module)] = len(module.read_text().splitlines()) > FILE_LINES_MAX
        for node in defined(module, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lengths[f"{name_of(module)}:{node.name}"] = node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    assert [name for name in LONG if not lengths.get(name, False)] == []


def test_every_module_opens_with_a_line_that_names_its_business():
    def opens_well(module: Path) -> bool:
        first, *rest = (ast.get_docstring(tree_of(module)) or "").splitlines() or [""]
        return first.rstrip().endswith((".", "?", "!")) and (not rest or not rest[0].strip())

    assert [name_of(module) for module in modules() if not opens_well(module)] == []


def test_no_module_has_a_name_that_says_nothing():
    parts = {name_of(module): {*module.relative_to(ROOT).with_suffix("").parts} for module in modules()}
    assert [name for name, words in parts.items() if words & NAMES_THAT_SAY_NOTHING] == []


def has_tests(place: Path) -> bool:
    return any(place.rglob("test_*.py")) if place.is_dir() else place.is_file()


def says_nothing_but_its_docstring(module: Path) -> bool:
    return len(tree_of(module).body) <= 1


def mirrored(module: Path) -> Path:
    """Where the module's own test would be; of a package, the file named after its folder."""
    inside = module.relative_to(ROOT)
    own = inside.parent if inside.name == "__init__.py" else inside.with_suffix("")
    return ROOT / "tests" / own.parent / f"test_{own.name}.py"


def covered(module: Path) -> list[str]:
    return [place for pattern, place in COVERED_ELSEWHERE.items() if fnmatch(name_of(module), pattern)]


def test_tests_mirror_the_tree():
    missing = [
        name_of(module)
        for module in modules()
        if not says_nothing_but_its_docstring(module)
        and not has_tests(mirrored(module))
        and not any(has_tests(ROOT / place) for place in covered(module))
    ]
    assert missing == []


def test_what_is_said_to_be_tested_elsewhere_is():
    assert {place for place in COVERED_ELSEWHERE.values() if not has_tests(ROOT / place)} == set()


def test_nothing_is_said_of_modules_that_do_not_exist():
    names = [name_of(module) for module in modules()]
    assert [pattern for pattern in COVERED_ELSEWHERE if not any(fnmatch(name, pattern) for name in names)] == []


def unreasoned(text: str) -> list[str]:
    """Silenced rules without a reason beside them.

    Two marks on one line may share the reason at its end. Where a file silences a rule again, its first reason stands.
    """
    reasoned: set[str] = set()
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        marks = [_SILENCED.match(mark.strip()) for mark in _MARK.split(line)[1:]]
        if not marks:
            continue
        codes = [re.findall(r"[\w-]+", (mark and mark["codes"]) or "") for mark in marks]
        has_reason = marks[-1] is not None and bool(marks[-1]["reason"].strip(" #()"))
        if all(codes) and has_reason:
            reasoned.update(*codes)
        elif not all(codes) or not reasoned.issuperset(itertools.chain(*codes)):
            found.append(f"{number}: {line.strip()}")
    return found


def test_every_silenced_rule_has_its_reason_beside_it():
    silenced = {name_of(module): unreasoned(module.read_text()) for module in modules()}
    assert {name: lines for name, lines in silenced.items() if lines} == {}


@pytest.mark.parametrize(
    ("line", "is_reasoned"),
    [
        ("x = 1  # noqa: S105 (a flag)", True),
        ("x = 1  # type: ignore[arg-type]  # no types there", True),
        ("x = 1  # type: ignore[arg-type]  # noqa: S106 (an example)", True),
        ("x = 1  # noqa: S106 (an example)\ny = 1  # noqa: S106", True),
        ("x = 1  # noqa: S106 (an example)\ny = 1  # noqa: S105", False),
        ("x = 1  # noqa: S105", False),
        ("x = 1  # noqa", False),
        ("x = 1  # noqa (because)", False),
        ("x = 1  # type: ignore", False),
        ("x = 1  # type: ignore[arg-type]", False),
    ],
)
def test_a_reason_is_told_from_none(line, is_reasoned):
    assert (unreasoned(line) == []) is is_reasoned


def test_no_file_names_a_package_registry():
    named = {
        name_of(path): host
        for path in tracked_files()
        for host in REGISTRY_HOSTS
        if host.encode() in path.read_bytes().lower()
    }
    assert named == {}


def test_requirements_name_no_place_to_get_them_from():
    options = re.compile(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b|@\s*\w+://")
    for path in ROOT.glob("requirements*"):
        assert [line for line in path.read_text().splitlines() if options.search(line)] == []


def pages() -> list[Path]:
    return [path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if path.is_file()]


def test_every_relative_link_of_the_docs_leads_to_a_file():
    broken = [
        f"{name_of(page)}: {target}"
        for page in pages()
        for target in (match["target"] for match in _LINK.finditer(_FENCED.sub("", page.read_text())))
        if not re.match(r"[a-z][a-z0-9+.-]*:|#", target) and not (page.parent / target.partition("#")[0]).exists()
    ]
    assert broken == []
