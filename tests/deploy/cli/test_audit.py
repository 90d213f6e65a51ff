"""`narke audit` refuses what it cannot do with status 2, before anything is started."""

import pytest
from typer.testing import CliRunner

from deploy.cli import app

RUNNER = CliRunner()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--duration", "soon"), "--duration must be a time such as 90s, 30m or 1h, not 'soon'"),
        (("--kill-every", "0s"), "--kill-every must be at least 1s"),
        (("--duration", "10s"), "nothing would be killed"),
        (("--meter-interval", "x"), "--meter-interval must be a time"),
        (("--stations", "0"), "--stations must be at least 1"),
        (("--version", "1.6,9"), "unknown OCPP version 9"),
        (("--victims", "moon"), "does not know moon"),
        (("--victims", ","), "must name something"),
        (("--nodes", "1", "--victims", "node"), "another one is left"),
        (("--nodes", "99"), "--nodes must be 1 to 8"),
        (("--data-dir", "/does/not/exist"), "no Narke runs on /does/not/exist"),
        (("--postgres-url", "postgresql://x"), "name its --data-dir too"),
        (("--report", "/does/not/exist/report.txt"), "cannot be written: No such file or directory"),
    ],
)
def test_bad_input_is_told_with_status_2(arguments, says):
    result = RUNNER.invoke(app, ["audit", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr.replace("\n", " ")
    assert result.stdout == ""


def test_the_narke_of_the_environment_is_not_killed_unasked(tmp_path):
    """It would be refused for having no run file; this is refused later, so it was not looked at."""
    where = {"NARKE_DATA_DIR": str(tmp_path)}
    result = RUNNER.invoke(app, ["audit", "--version", "9"], env=where)
    assert "unknown OCPP version 9" in result.stderr
    assert str(tmp_path) not in result.stderr
