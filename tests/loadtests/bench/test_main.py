"""The command: what it takes, what it writes, and what it leaves alone."""

import json

import pytest

from loadtests.bench import __main__ as command
from loadtests.bench.bench import Row, Stage
from loadtests.bench.driving import Failed
from loadtests.bench.rows import ROWS
from tests.loadtests.bench.test_summary import NAMED_BY_THE_ISSUE


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def rows(monkeypatch):
    """Rows `good` and `bad`, and what they do; on no Narke."""
    known = (Row("good", "measures", Stage.MAIN, dict), Row("bad", "does not", Stage.MAIN, dict))
    done = {"good": {"told": 1}}

    def all_rows(run, chosen):
        for row in chosen:
            if isinstance(done.get(row.name), dict):
                run.told[row.name] = done[row.name]
            elif isinstance(done.get(row.name), BaseException):
                raise done[row.name]
            else:
                run.failed[row.name] = "no air"

    monkeypatch.setattr(command, "ROWS", known)
    monkeypatch.setattr(command.Run, "all", all_rows)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    return done


def test_without_options_all_rows_are_measured():
    asked = command.arguments([])
    assert asked.rows == [row.name for row in ROWS]
    assert not asked.quick


def test_rows_can_be_chosen():
    assert command.arguments(["--rows", "storm, memory,"]).rows == ["storm", "memory"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--rows", "storm,strom"], "there is no row strom; rows are memory, storm"),
        (["--rounds", "0"], "a number from 1 to 20, not '0'"),
        (["--rounds", "many"], "not 'many'"),
        (["--quck"], "unrecognized arguments"),
    ],
)
def test_a_mistake_is_named(words, error, capsys):
    with pytest.raises(SystemExit) as ended:
        command.arguments(words)
    assert ended.value.code == 2
    assert error in capsys.readouterr().err


def test_the_whole_result_is_written_with_all_keys(rows, tmp_path, capsys):
    rows["bad"] = {}
    assert command.main(["--quick"]) == 0
    written = json.loads((tmp_path / "build/bench.json").read_text())
    assert written.keys() >= NAMED_BY_THE_ISSUE
    assert written["quick"] is True
    assert written["rows"]["good"] == {"told": 1}
    assert written["failed"] == {}
    assert written["settings"]["ocpp.messages_per_s"] == "100000"
    assert "Narke 0.1.0, quick run" in capsys.readouterr().out
    assert list((tmp_path / "build").iterdir()) == [tmp_path / "build/bench.json"]


def test_a_row_that_was_not_measured_is_told_and_the_rest_is_written(rows, tmp_path):
    del rows
    assert command.main([]) == 1
    written = json.loads((tmp_path / "build/bench.json").read_text())
    assert written["failed"] == {"bad": "no air"}
    assert written["rows"].keys() == {"good"}


def earlier_result(folder):
    (folder / "build").mkdir()
    (folder / "build/bench.json").write_text("earlier")
    return folder / "build/bench.json"


@pytest.mark.parametrize("why", [None, KeyboardInterrupt(), Failed("a fault of ours")])
def test_an_earlier_result_outlives_a_run_that_measured_nothing(rows, tmp_path, why):
    earlier = earlier_result(tmp_path)
    rows["good"] = why
    if isinstance(why, Failed):
        with pytest.raises(Failed):
            command.main([])
    else:
        assert command.main([]) == (1 if why is None else 130)
    assert earlier.read_text() == "earlier"
    assert list(earlier.parent.iterdir()) == [earlier]


def test_a_few_rows_do_not_replace_a_whole_result(rows, tmp_path):
    del rows
    earlier = earlier_result(tmp_path)
    assert command.main(["--rows", "good"]) == 0
    assert earlier.read_text() == "earlier"
    assert command.main(["--rows", "good", "--json", "elsewhere/few.json"]) == 0
    assert json.loads((tmp_path / "elsewhere/few.json").read_text())["rows"] == {"good": {"told": 1}}


def test_too_few_open_files_end_it_before_it_begins(rows, monkeypatch, capsys):
    del rows

    def allow(stations):
        raise command.machine.TooFewFiles(f"{stations} are too many")

    monkeypatch.setattr(command.machine, "allow_files", allow)
    assert command.main([]) == 2
    assert "error: 10000 are too many" in capsys.readouterr().err
