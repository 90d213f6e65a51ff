"""What is wrong with an audit's options is said before anything starts."""

import pytest

from loadtests.audit.audit import check
from loadtests.audit.options import VICTIMS, AuditError, AuditOptions, seconds_of, victims_of


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), (" 20s ", 20)])
def test_times_are_read(text, seconds):
    assert seconds_of(text, "--duration") == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1m30s", "abc", "nan"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(AuditError, match=r"--duration must be a time such as 90s, 30m or 1h"):
        seconds_of(text, "--duration")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kill_every_s": 0.5}, "--kill-every must be at least 1s"),
        ({"duration_s": 10, "kill_every_s": 20}, "nothing would be killed"),
        ({"stations": 0}, "--stations must be at least 1"),
        ({"meter_interval_s": 0}, "--meter-interval must be more than 0s"),
        ({"nodes": 0}, "--nodes must be 1 to 8"),
        ({"victims": ("moon", "redis")}, "does not know moon: use some of ingress, stations"),
        ({"victims": ()}, "must name something"),
        ({"nodes": 1}, "another one is left"),
        ({"postgres_url": "postgresql://x"}, "name its --data-dir too"),
    ],
)
def test_options_that_make_no_audit_are_refused(changes, says):
    with pytest.raises(AuditError, match=says):
        AuditOptions(**changes)


def test_a_data_directory_without_a_narke_is_refused(tmp_path):
    with pytest.raises(AuditError, match="no Narke runs on"):
        AuditOptions(data_dir=tmp_path, nodes=1, victims=victims_of(1))


def test_an_unknown_version_is_refused_before_anything_starts():
    with pytest.raises(AuditError, match="unknown OCPP version 9"):
        check(AuditOptions(versions=("9",)))


def test_a_node_can_be_killed_only_beside_another():
    assert victims_of(2) == VICTIMS
    assert "node" not in victims_of(1)


def test_the_command_repeats_the_audit():
    command = AuditOptions(duration_s=60, stations=7, seed=3, nodes=1, victims=("redis",)).command
    assert command == (
        "narke audit --duration 60s --stations 7 --kill-every 20s --seed 3 --nodes 1 --victims redis "
        "--version 1.6,2.0.1,2.1 --meter-interval 10s"
    )
