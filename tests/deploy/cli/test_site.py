"""`narke site` and `narke cap` against a running HTTP door."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from deploy.cli.errors import CliError
from deploy.cli.series_files import read_series
from deploy.cli.times import parse_moment
from engine.model.sites import SeriesKind
from ingress.http.app import create_app
from ingress.http.keys import ApiKeys
from smartcharging.site_files import load
from storage import keys
from storage.journal_memory import MemoryJournalReader
from storage.site_book_memory import MemorySiteBook
from tests.ingress.http.house import TestHouse

BEGIN = "2026-05-01T12:00:00+00:00"
DEPOT = """
site: depot
name: Depot North
tree:
  grid: main
  limit_a: [63, 63, 50]
  limit_kw: 40
  timed:
    - {limit_kw: 20, times: "17:00-20:00", weekdays: mon-fri}
  children:
    - board: hall
      limit_a: 40
      children:
        - station: CP-1
          id: box
          children:
            - evse: 1
            - {evse: 2, phases: 1, rotation: "2", priority: 3}
loads:
  - {load: building, node: main, kind: metered, station: METER-1, kw: 12}
"""


@pytest.fixture
def narke(narke, door, tmp_path):
    store = TestHouse().store
    house = TestHouse(keys=ApiKeys(tmp_path), sites=MemorySiteBook(store, tenant="default"))
    house.store, house.sites = store, house.services.sites
    narke.house = house
    door.app = create_app(house.services)
    return narke


@pytest.fixture
def depot(tmp_path):
    file = tmp_path / "depot.yaml"
    file.write_text(DEPOT, encoding="utf-8")
    return str(file)


def project(narke):
    """What was told arrives in the tables."""

    async def apply():
        entries = await MemoryJournalReader(narke.house.store).read({keys.OPERATOR: keys.START}, 1000)
        await narke.house.projection.positions()
        await narke.house.projection.apply(entries)

    asyncio.run(apply())


def kept(narke, what: str):
    return asyncio.run(getattr(narke.house.sites, what)())


def test_a_file_is_imported_and_exported_again(narke, depot, tmp_path):
    done = narke.run("site", "import", depot)
    assert (done.exit_code, done.stdout) == (0, "depot: saved, revision 1\n"), done.output
    assert kept(narke, "sites") == {"depot": load(DEPOT)[0].site}

    out = tmp_path / "out.yaml"
    assert narke.run("site", "export", "depot", "-o", str(out)).stdout == f"{out}: 1 site\n"
    assert load(out.read_text())[0].site == load(DEPOT)[0].site
    assert load(narke.run("site", "export", "depot").stdout)[0].site == load(DEPOT)[0].site


def test_all_sites_are_exported_into_one_file(narke, depot, tmp_path):
    assert "there are no sites" in narke.run("site", "export").output
    other = tmp_path / "yard.yaml"
    other.write_text(DEPOT.replace("site: depot", "site: yard").replace("CP-1", "CP-2"), encoding="utf-8")
    assert json.loads(narke.run("site", "import", depot, str(other), "--json").stdout)[1]["site"] == "yard"
    project(narke)
    assert [one.site.site for one in load(narke.run("site", "export").stdout)] == ["depot", "yard"]


def test_a_site_is_shown_as_a_tree_with_its_limits(narke, depot):
    narke.run("site", "import", depot)
    shown = narke.run("site", "show", "depot").stdout
    for text in (
        "Depot North",
        "main  grid  63/63/50 A, 40 kW  20 kW 17:00-20:00 Mon Tue Wed Thu Fri",
        "hall  board  40 A",
        "box  station  station CP-1",
        "CP-1/1  EVSE 1 of CP-1, 32 A x 3",
        "CP-1/2  EVSE 2 of CP-1, 32 A x 1, rotated 231, priority 3",
        "building: draws at main as metered by METER-1; 12 kW where that is silent",
    ):
        assert text in shown, shown
    assert json.loads(narke.run("site", "show", "depot", "--json").stdout)["revision"] == 1
    assert narke.run("site", "show", "yard").exit_code == 3


def test_sites_are_listed_with_their_history_and_removed(narke, depot, tmp_path):
    narke.run("site", "import", depot)
    (tmp_path / "depot.yaml").write_text(DEPOT.replace("limit_kw: 40", "limit_kw: 35"), encoding="utf-8")
    assert "revision 2" in narke.run("site", "import", depot).stdout
    project(narke)
    assert "35 kW" in narke.run("site", "list").stdout
    history = json.loads(narke.run("site", "history", "depot", "--json").stdout)
    assert sorted(row["revision"] for row in history) == [1, 2]
    assert "limit_kw: 40" in narke.run("site", "export", "depot", "--revision", "1").stdout

    assert "removed" in narke.run("site", "remove", "depot").stdout
    assert narke.run("site", "remove", "depot").exit_code == 3
    assert kept(narke, "sites") == {}


def test_files_are_checked_without_a_narke(narke, depot, tmp_path):
    env = {"NARKE_DATA_DIR": str(tmp_path / "nowhere")}
    done = narke.run("site", "check", depot, env=env)
    assert (done.exit_code, done.stdout) == (0, f"{depot}: depot: good (stations: 1, EVSEs: 2)\n")


def test_what_is_wrong_with_a_file_is_told_by_line(narke, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(DEPOT.replace("limit_a: 40", "limit_a: 4").replace("node: main", "node: mian"), encoding="utf-8")
    done = narke.run("site", "check", str(file))
    assert done.exit_code == 2
    assert "line 11, error: hall, limit_a L1: 4 A are less than the 6 A" in done.output
    assert "line 20, error: building, node: 'mian' is no node of this site; did you mean 'main'?" in done.output
    (told,) = json.loads(narke.run("site", "check", str(file), "--json").stdout)
    assert (told["good"], {problem["node"] for problem in told["problems"]}) == (False, {"hall", "building"})

    refused = narke.run("site", "import", str(file))
    assert refused.exit_code == 5
    assert "building.node: 'mian' is no node" in refused.output
    assert kept(narke, "sites") == {}


def test_a_file_that_is_none_is_told_by_line_and_nothing_is_sent(narke, depot, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(DEPOT.replace("limit_kw", "limt_kw"), encoding="utf-8")
    done = narke.run("site", "import", depot, str(file))
    assert done.exit_code == 2
    assert "line 7: the tree has no field 'limt_kw'; did you mean 'limit_kw'?" in done.output
    assert "line 9: a timed limit has no field 'limt_kw'" in done.output
    assert kept(narke, "sites") == {}
    assert narke.run("site", "check", str(file)).exit_code == 2
    assert "cannot be read" in narke.run("site", "import", str(tmp_path / "none.yaml")).output


def test_a_site_is_imported_once_at_a_time(narke, depot):
    done = narke.run("site", "import", depot, depot)
    assert (done.exit_code, "name each site once" in done.output) == (2, True)


def test_prices_come_from_a_file(narke, depot, tmp_path):
    narke.run("site", "import", depot)
    file = tmp_path / "prices.csv"
    file.write_text("start,price\n2026-05-01T22:00:00Z,0.31\n2026-05-02T01:00:00+02:00,0.28\n", encoding="utf-8")
    done = narke.run("site", "series", "depot", "price", str(file))
    assert "2026-05-01T22:00:00Z to 2026-05-02T00:00:00Z, 2 values" in done.stdout, done.output
    assert kept(narke, "series")["depot", SeriesKind.PRICE].values == (0.31, 0.28)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("2026-05-01T22:00:00Z,1\n", "has 1 values"),
        ("2026-05-01T22:00:00Z,1\n2026-05-01T23:00:00Z,2\n2026-05-02T01:00:00Z,2\n", "line 3: 2:00:00 after"),
        ("2026-05-01T22:00:00Z,1\n2026-05-01T22:00:00Z,2\n", "line 2: .* is not after"),
        ("2026-05-01T22:00:00,1\n2026-05-01T23:00:00,2\n", "line 1: .* has no offset"),
        ("2026-05-01T22:00:00Z,1,2\n", "line 1 has 3 columns"),
        ("2026-05-01T22:00:00Z,nan\n", "line 1: 'nan' is no number"),
        ("2026-05-01T22:00:00Z,dear\n", "line 1: 'dear' is no number"),
        ("2026-15-01T22:00:00Z,1\n", "line 1: .* is no time"),
        ("{", "is no JSON"),
    ],
)
def test_prices_with_gaps_and_the_like_are_refused_by_line(tmp_path, text, what):
    file = tmp_path / "prices.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CliError, match=what):
        read_series(file)


def test_a_driver_asks(narke):
    done = narke.run("site", "request", "--token", "04AB", "--energy", "20", "--no-discharge")
    assert (done.exit_code, done.stdout) == (0, "04AB: noted\n"), done.output
    narke.run("site", "request", "--station", "CP-1", "--departs", "2026-05-01T18:00:00+00:00")
    by_token, by_place = (asked.request for asked in kept(narke, "requests"))
    assert (by_token.token, by_token.energy_kwh, by_token.may_discharge) == ("04AB", 20.0, False)
    assert (by_place.evse, by_place.departs_at) == (1, datetime(2026, 5, 1, 18, tzinfo=UTC))
    assert narke.run("site", "request", "--energy", "20").exit_code == 5


def test_a_cap_is_set_heard_listed_and_released(narke, depot):
    narke.run("site", "import", depot)
    done = narke.run("cap", "set", "depot", "--kw", "30", "--from", BEGIN, "--step", "2026-05-01T14:00:00+00:00=none")
    assert (done.exit_code, done.stdout) == (0, "depot: operator caps its root at 30 kW\n"), done.output
    done = narke.run(
        "cap", "set", "depot", "--kw", "11", "--from", BEGIN, "--node", "hall", "--source", "grid:north",
        "--heartbeat", "60", "--emergency",
    )  # fmt: skip
    assert "warning: fallback_kw" in done.output
    assert narke.run("cap", "heartbeat", "depot", "--source", "grid:north").exit_code == 0
    assert narke.run("cap", "heartbeat", "depot", "--source", "grid:south").exit_code == 3
    assert [step.kw for step in kept(narke, "caps")["depot", "operator"].cap.steps] == [30.0, None]

    project(narke)
    listed = narke.run("cap", "list", "depot").stdout
    assert "grid:north" in listed
    assert "hall" in listed
    assert narke.run("cap", "release", "depot").exit_code == 0
    assert list(kept(narke, "caps")) == [("depot", "grid:north")]
    project(narke)
    assert len(json.loads(narke.run("cap", "list", "--json").stdout)) == 1
    assert len(json.loads(narke.run("cap", "list", "--all", "--json").stdout)) == 2


def test_a_cap_that_caps_nothing_or_nonsense_is_refused(narke, depot):
    narke.run("site", "import", depot)
    assert narke.run("cap", "set", "depot").exit_code == 2
    assert narke.run("cap", "set", "depot", "--step", "18:00").exit_code == 2
    assert narke.run("cap", "set", "depot", "--step", "18:00=x").exit_code == 2
    assert narke.run("cap", "set", "depot", "--kw", "-1", "--from", BEGIN).exit_code == 5
    assert narke.run("cap", "set", "depot", "--kw", "1", "--from", BEGIN, "--until", BEGIN).exit_code == 5
    assert narke.run("cap", "set", "yard", "--kw", "1", "--from", BEGIN).exit_code == 3
    assert kept(narke, "caps") == {}


def test_times_to_come():
    now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    assert parse_moment(None, "--from", now) is None
    assert parse_moment("now", "--from", now) == "2026-05-01T12:00:00Z"
    assert parse_moment("+90m", "--from", now) == "2026-05-01T13:30:00Z"
    assert parse_moment("2026-05-03T08:00:00+02:00", "--from", now) == "2026-05-03T06:00:00Z"
    local = now.astimezone()
    clock = parse_moment(f"{local.hour:02}:{local.minute:02}", "--from", now)
    assert clock == "2026-05-02T12:00:00Z", "the next one: tomorrow"
    with pytest.raises(CliError, match="no time"):
        parse_moment("soon", "--from", now)


def test_a_station_of_another_site_is_refused_and_what_was_saved_is_told(narke, depot, tmp_path):
    other = tmp_path / "yard.yaml"
    other.write_text(DEPOT.replace("site: depot", "site: yard"), encoding="utf-8")
    done = narke.run("site", "import", depot, str(other))
    assert done.exit_code == 5
    assert "station CP-1 belongs to site 'depot' (depot: saved)" in done.output
    assert list(kept(narke, "sites")) == ["depot"]


def test_a_station_that_hangs_in_two_files_is_told(narke, depot, tmp_path):
    other = tmp_path / "yard.yaml"
    other.write_text(DEPOT.replace("site: depot", "site: yard"), encoding="utf-8")
    done = narke.run("site", "check", depot, str(other))
    assert done.exit_code == 2
    assert done.output.count("station CP-1 belongs to site 'depot', too") == 1
    assert "line 14, error: box: station CP-1" in done.output
    assert narke.run("site", "check", depot, depot).exit_code == 0, "the same site twice is no conflict"
