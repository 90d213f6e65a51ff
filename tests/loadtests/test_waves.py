"""When all are back: connected, booted, reported."""

from loadtests.waves import Waves

ACCEPTED = {"status": "Accepted"}


class Notes:
    def __init__(self):
        self.told = []

    def on_answered(self, identity, action, _payload, _reply):
        self.told.append((identity, action))


def waves_of(observer=None, **connectors_of):
    waves = Waves(observer)
    waves.expect(connectors_of)
    return waves


def boot(waves, identity, status="Accepted"):
    waves.on_answered(identity, "BootNotification", {}, {"status": status})


def report(waves, identity, connector, **more):
    waves.on_answered(identity, "StatusNotification", {"connectorId": connector} | more, {})


def test_a_wave_is_complete_when_all_connected_booted_and_reported_each_connector():
    waves = waves_of(A=1, B=2)
    waves.begin("start", boots=True)
    for identity in "AB":
        waves.connected(identity)
        boot(waves, identity)
    report(waves, "A", 0)  # the station itself, 1.6
    report(waves, "A", 1)
    report(waves, "B", 1, evseId=1)
    report(waves, "B", 1, evseId=1)
    assert not waves.waves[0].complete
    assert waves.waves[0].as_dict()["all_reported_s"] is None
    report(waves, "B", 1, evseId=2)
    assert waves.waves[0].complete
    shown = waves.waves[0].as_dict()
    assert (shown["connected"], shown["booted"], shown["reported"]) == (2, 2, 2)
    assert 0 <= shown["all_connected_s"] <= shown["all_reported_s"]


def test_nothing_counts_twice_and_strangers_not_at_all():
    waves = waves_of(A=1)
    waves.begin("start", boots=True)
    for _ in range(2):
        waves.connected("A")
        boot(waves, "A")
    waves.connected("X")
    boot(waves, "X")
    assert {name: stage.reached for name, stage in waves.waves[0].stages.items()} == {
        "connected": 1,
        "booted": 1,
        "reported": 0,
    }


def test_what_came_before_the_boot_was_accepted_is_no_report():
    waves = waves_of(A=1)
    waves.begin("start", boots=True)
    boot(waves, "A", "Pending")
    report(waves, "A", 1)
    assert waves.waves[0].stages["booted"].reached == waves.waves[0].stages["reported"].reached == 0


def test_a_later_wave_of_some_counts_only_those():
    waves = waves_of(A=1, B=1)
    waves.begin("start", boots=True)
    waves.begin("storm", ["B", "X"], boots=False)
    waves.connected("A")
    waves.connected("B")
    assert waves.waves[1].stations == 1
    assert waves.waves[1].complete
    assert list(waves.waves[1].stages) == ["connected"]
    assert waves.waves[0].stages["connected"].reached == 0


def test_every_answered_call_is_handed_on():
    notes = Notes()
    waves = waves_of(notes, A=1)
    waves.on_answered("A", "Heartbeat", {}, {})
    waves.begin("start", boots=True)
    boot(waves, "A")
    assert notes.told == [("A", "Heartbeat"), ("A", "BootNotification")]


def test_the_same_wave_of_two_processes_is_one():
    first, second = waves_of(A=1), waves_of(B=1)
    for waves, identity in ((first, "A"), (second, "B")):
        waves.begin("storm", boots=False)
        waves.connected(identity)
    whole, other = first.waves[0], second.waves[0]
    whole.merge(other)
    assert whole.complete
    assert (whole.stations, whole.stages["connected"].reached) == (2, 2)
    assert whole.stages["connected"].last_at == other.stages["connected"].last_at
