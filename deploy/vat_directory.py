"""The directory of companies by VAT number: a JSON file of the operator's, read once at the start."""

import json
from pathlib import Path

import msgspec

from engine.model.payment import Company
from engine.station.vat_numbers import normal_form

COMPANIES_MAX = 1_000_000


class VatDirectoryError(Exception):
    """The file cannot be used. Says where, what was expected and what to do."""


def load(file: Path | None) -> dict[str, Company]:
    """The companies by number, in its normal form; none without a file.

    Raises:
        VatDirectoryError: It cannot be read, or does not say what it should.
    """
    if file is None:
        return {}
    form = '{"DE136695976": {"name": "...", "address1": "...", "city": "...", "country": "DE"}}'
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        companies = msgspec.convert(said, dict[str, Company])
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, msgspec.ValidationError) as error:
        what = f"authorization.vat_directory: {file} cannot be used: {error}"
        raise VatDirectoryError(f"{what}; write {form}") from error
    if len(companies) > COMPANIES_MAX:
        raise VatDirectoryError(f"authorization.vat_directory: {file} has more than {COMPANIES_MAX} companies")
    return {normal_form(number): company for number, company in companies.items()}
