"""Files of stations: both forms, with their places."""

import json

import pytest

from deploy.cli.errors import CliError
from deploy.cli.station_files import FIELDS, read_stations
from ingress.http.api.station_records import NamedStation


def written(tmp_path, content, name="stations.csv"):
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    return file


def test_an_empty_cell_says_nothing(tmp_path):
    file = written(tmp_path, "station, security_profile ,note,downgrade_allowed\nCP-1,2,,\nCP-2,,gate,yes\n")
    assert read_stations(file) == [
        (f"{file} line 2", {"station": "CP-1", "security_profile": 2}),
        (f"{file} line 3", {"station": "CP-2", "note": "gate", "downgrade_allowed": True}),
    ]


def test_a_byte_order_mark_and_quotes_are_read(tmp_path):
    file = written(tmp_path, '\ufeffstation,note\n"CP-1","north, gate 2"\n')
    assert read_stations(file)[0][1] == {"station": "CP-1", "note": "north, gate 2"}


def test_json_is_identities_or_objects(tmp_path):
    file = written(tmp_path, json.dumps(["CP-1", {"station": "CP-2", "security_profile": 3}]))
    assert [row for _, row in read_stations(file)] == [{"station": "CP-1"}, {"station": "CP-2", "security_profile": 3}]


def test_every_column_is_one_of_the_api(tmp_path):
    assert set(FIELDS) <= set(NamedStation.model_fields)
    assert read_stations(written(tmp_path, ",".join(FIELDS) + "\nCP-1" + "," * (len(FIELDS) - 1) + "\n"))


@pytest.mark.parametrize("content", ["station\nCP-1\nCP-1\n", '["a", "A"]'])
def test_a_station_is_named_once(tmp_path, content):
    with pytest.raises(CliError, match="already"):
        read_stations(written(tmp_path, content))


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CliError, match="cannot be read"):
        read_stations(tmp_path / "nowhere.csv")
