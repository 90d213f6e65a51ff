"""Writes docs/conformance.md to stdout, from the names of the tests: `make docs`. Needs a checkout.

A test named `test_E01_FR_11_...` shows requirement E01.FR.11 of OCPP 2.0.1 or 2.1, one named `test_TC_004_1_...` the
certification case TC_004_1 of 1.6, and one named `test_TC_B_30_...` that of 2.0.1.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
BLOCKS: Final = {
    "A": "Security",
    "B": "Provisioning",
    "C": "Authorization",
    "D": "Local authorization list",
    "E": "Transactions",
    "F": "Remote control",
    "G": "Availability",
    "H": "Reservation",
    "I": "Tariff and cost",
    "J": "Meter values",
    "K": "Smart charging",
    "L": "Firmware management",
    "M": "ISO 15118 certificate management",
    "N": "Diagnostics",
    "O": "Display message",
    "P": "Data transfer",
    "Q": "Bidirectional power transfer",
    "R": "DER control",
    "S": "Battery swapping",
}
"""Functional blocks by their letter (2.1 part 2)."""

CASES_16: Final[dict[str, dict[str, str]]] = {
    "Core": {
        "001": "Cold boot",
        "003": "Regular charging session, plug-in first",
        "004_1": "Regular charging session, identification first",
        "004_2": "The same, connection time-out",
        "005_1": "EV side disconnected",
        "007": "Regular start, cached id",
        "010": "Remote start, cable plugged in first",
        "011_1": "Remote start, remote start first",
        "011_2": "Remote start, time-out",
        "012": "Remote stop",
        "013": "Hard reset",
        "014": "Soft reset",
        "017_1": "Unlock connector, no session, cable not fixed",
        "017_2": "Unlock connector, no session, fixed cable",
        "018_1": "Unlock connector with a session",
        "019_1": "Retrieve all configuration keys",
        "019_2": "Retrieve a specific configuration key",
        "021": "Change configuration",
        "023_1": "Start, authorize invalid",
        "023_2": "Start, authorize expired",
        "023_3": "Start, authorize blocked",
        "024": "Start, lock failure",
        "026": "Remote start rejected",
        "028": "Remote stop rejected",
        "030": "Unlock failure",
        "031": "Unlock unknown connector",
        "032_1": "Power failure, boot, stop transactions",
        "037_1": "Offline start, valid idTag",
        "037_3": "Offline start, invalid idTag",
        "039": "Offline transaction",
        "040_1": "Configuration key not supported",
        "040_2": "Configuration key, invalid value",
        "061": "Clear cache",
        "064": "Data transfer to the central system",
    },
    "Local authorization list": {
        "042_1": "Version, not supported",
        "042_2": "Version, empty",
        "043_1": "Send, not supported",
        "043_3": "Send, failed",
        "043_4": "Send, full",
        "043_5": "Send, differential",
    },
    "Firmware management": {
        "044_1": "Download and install",
        "044_2": "Download failed",
        "044_3": "Installation failed",
        "045_1": "Get diagnostics",
        "045_2": "Get diagnostics, upload failed",
    },
    "Reservation": {
        "046": "Of a connector, transaction",
        "047": "Of a connector, expires",
        "048_1": "Of a connector, faulted",
        "048_2": "Of a connector, occupied",
        "048_3": "Of a connector, unavailable",
        "048_4": "Of a connector, rejected",
        "049": "Of a charge point",
        "051": "Cancel",
        "052": "Cancel, rejected",
        "053": "With parentIdTag",
    },
    "Remote trigger": {"054": "Trigger message", "055": "Trigger message, rejected"},
    "Smart charging": {
        "056": "TxDefaultProfile",
        "057": "TxProfile",
        "059": "Remote start with a profile",
        "066": "Composite schedule",
        "067": "Clear profile",
    },
    "Security": {
        "073": "Update of the password",
        "074": "Update of the certificate",
        "075_1": "Install the manufacturer's root certificate",
        "075_2": "Install the central system's root certificate",
        "076": "Delete a certificate",
        "077": "Event InvalidChargePointCertificate",
        "078": "Event InvalidCentralSystemCertificate",
        "079": "Security log",
        "080": "Secure firmware update",
        "081": "Secure firmware update, invalid signature",
        "083": "Upgrade of the security profile",
        "085": "Basic authentication",
        "086": "TLS with a server certificate",
        "087": "TLS with a client certificate",
        "088": "Negotiation of the subprotocol",
    },
}
"""Cases of 1.6 with the central system under test, by profile."""

_REQUIREMENT = re.compile(r"_(?P<use_case>[A-S]\d\d)_FR(?P<numbers>(?:_\d{2,3}(?![^_]))+)")
_CASE = re.compile(r"_TC_(?P<case>[A-S]_\d{2,3}|\d{3}(?:_\d(?![^_]))?)(?![^_])")


class NamedTest(NamedTuple):
    """A test that is named after what it shows. `shows`: a requirement (E01.FR.11) or case (TC_004_1, TC_B_30)."""

    shows: str
    name: str
    file: str
    """From the root of the checkout."""


def page(root: Path = ROOT) -> str:
    """The whole page."""
    found = sorted(named_tests(root))
    return "".join((_INTRODUCTION, _counts(found), _cases_16(found), _cases_2(found), *_requirements(found)))


def named_tests(root: Path = ROOT) -> Iterator[NamedTest]:
    """All tests that are named after a requirement or a certification case."""
    for path in sorted((root / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for shows in shown_by(node.name):
                    yield NamedTest(shows, node.name, path.relative_to(root).as_posix())


def shown_by(name: str) -> list[str]:
    """What a test of that name shows; it may name several: `test_TC_074_A02_FR_11_14_...`."""
    shown = [_known_case(found["case"]) for found in _CASE.finditer(name)]
    for requirement in _REQUIREMENT.finditer(name):
        numbers = requirement["numbers"].strip("_").split("_")
        shown += [f"{requirement['use_case']}.FR.{number}" for number in numbers]
    return shown


def _known_case(case: str) -> str:
    """A case by its name. The digit behind it may be of the next word: `test_TC_073_1_6_stations_...`."""
    is_part = case[0].isdigit() and "_" in case and not any(case in cases for cases in CASES_16.values())
    return f"TC_{case[:3] if is_part else case}"


def _counts(found: list[NamedTest]) -> str:
    lines = ["\n## In figures\n\n| what | shown by at least one test |\n|---|---|\n"]
    shown = {test.shows for test in found}
    listed = [f"TC_{case}" for cases in CASES_16.values() for case in cases]
    of_16 = [case for case in listed if case in shown or any(_is_of_family(case, name) for name in shown)]
    lines.append(f"| certification cases of 1.6 | {len(of_16)} of {len(listed)} |\n")
    of_2 = [name for name in shown if name.startswith("TC_") and not name[3].isdigit()]
    lines.append(f"| certification cases of 2.0.1 | {len(of_2)} |\n")
    for letter, title in BLOCKS.items():
        count = sum(name.startswith(letter) and ".FR." in name for name in shown)
        lines.append(f"| requirements of block {letter}, {title} | {count} |\n")
    return "".join(lines)


def _cases_16(found: list[NamedTest]) -> str:
    parts = ["\n## Certification cases of 1.6\n\nThe central system is under test.\n"]
    for profile, cases in CASES_16.items():
        parts.append(f"\n### 1.6: {profile}\n\n| case | title | shown by |\n|---|---|---|\n")
        parts += [f"| TC_{case} | {title} | {_shown_by(found, f'TC_{case}')} |\n" for case, title in cases.items()]
    return "".join(parts)


def _cases_2(found: list[NamedTest]) -> str:
    names = sorted({test.shows for test in found if test.shows.startswith("TC_") and not test.shows[3].isdigit()})
    if not names:
        return ""
    head = "\n## Certification cases of 2.0.1\n\nThe CSMS is under test.\n\n| case | shown by |\n|---|---|\n"
    return head + "".join(f"| {name} | {_shown_by(found, name)} |\n" for name in names)


def _requirements(found: list[NamedTest]) -> Iterator[str]:
    yield "\n## Requirements of 2.0.1 and 2.1\n"
    for letter, title in BLOCKS.items():
        names = sorted({test.shows for test in found if test.shows.startswith(letter) and ".FR." in test.shows})
        if names:
            yield f"\n### {letter}. {title}\n\n| requirement | shown by |\n|---|---|\n"
            yield from (f"| {name} | {_shown_by(found, name)} |\n" for name in names)


def _is_of_family(case: str, family: str) -> bool:
    """Whether a test of TC_042 shows TC_042_1: it shows all of them."""
    return family.startswith("TC_") and case.startswith(f"{family}_")


def _shown_by(found: list[NamedTest], shows: str) -> str:
    mine = [test for test in found if shows == test.shows or _is_of_family(shows, test.shows)]
    return "<br>".join(f"[{test.name}](../{test.file})" for test in mine) or "no test of that name"


_INTRODUCTION = """\
# Conformance

<!-- Generated by `make docs` from the names of the tests; do not edit. -->

Which requirements of OCPP and which certification cases have a test that is named after them.
`test_E01_FR_11_...` shows requirement E01.FR.11 of OCPP 2.0.1 or 2.1 (part 2), `test_TC_004_1_...` the certification
case TC_004_1 of 1.6 (`test_TC_042_...` all of TC_042_1 and TC_042_2), `test_TC_B_30_...` that of 2.0.1.
A test shows the CSMS' part of a requirement: what Narke sends, answers, records and refuses. Where the requirement
binds the station, it shows that Narke asks for that behaviour and understands it.
This is no certificate: none was applied for.

What is not named here may well be tested: every action of every version, in both directions, has an end-to-end test
([every action](ocpp-support.md)); whatever the official schemas allow is drawn at random and must be understood,
decided, recorded and answered by its schema
([test_translators_are_total.py](../tests/conformance/test_translators_are_total.py)); and a million spoiled frames are
answered with documented errors or not at all ([bad input](ocpp.md#bad-input), `narke fuzz`).
"""


if __name__ == "__main__":
    sys.stdout.write(page())
