"""The operator's directory of companies by VAT number."""

import json

import pytest

from deploy.vat_directory import VatDirectoryError, load
from engine.model.payment import Company

ACME = {"name": "Acme GmbH", "address1": "Ring 1", "city": "Berlin", "country": "DE"}


def test_companies_are_found_by_their_number_however_it_is_written(tmp_path):
    file = tmp_path / "vat.json"
    file.write_text(json.dumps({"de 136.695.976": {**ACME, "postal_code": "10115"}}))
    assert load(file) == {"DE136695976": Company(**ACME, postal_code="10115")}


def test_without_a_file_nobody_is_known():
    assert load(None) == {}


@pytest.mark.parametrize("content", ["", "[]", '{"DE1": {"name": "x"}}', '{"DE1": 1}', "{"])
def test_a_file_that_does_not_say_what_it_should_is_refused_with_the_form(tmp_path, content):
    file = tmp_path / "vat.json"
    file.write_text(content)
    with pytest.raises(VatDirectoryError, match=r"vat\.json.*write"):
        load(file)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(VatDirectoryError, match="missing"):
        load(tmp_path / "missing.json")
