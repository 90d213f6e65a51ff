"""The security log: all is counted, so much is told."""

from structlog.testing import capture_logs

from ingress import metrics
from ingress.ocpp.security_log import SecurityLog


def test_events_are_counted_though_only_so_many_are_told_and_the_gap_is_said():
    now = 0.0
    security_log = SecurityLog(lambda: now)
    before = metrics.security_events.labels("InvalidTLSVersion")._value.get()
    with capture_logs() as lines:
        for _ in range(500):
            security_log.tell("refused", event="InvalidTLSVersion", address="a")
        assert len(lines) == 200
        now = 1.0
        security_log.tell("refused", address="b")
    assert metrics.security_events.labels("InvalidTLSVersion")._value.get() == before + 500
    assert lines[-1] == {"event": "refused", "log_level": "info", "address": "b", "lines_left_out": 300}
    assert lines[0]["log_level"] == "warning"
    assert lines[0]["security_event"] == "InvalidTLSVersion"
