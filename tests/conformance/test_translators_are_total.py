"""Property tests: whatever is valid by its official schema is understood, decided, recorded and answered by its schema.

Drawn twice: many by the fuzzer's quick walk, a few by hypothesis, which shrinks what it finds.
"""

from random import Random

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from engine.model.authorization import TokenStatus
from engine.model.codec import decode_outcome, encode
from engine.model.commands import Command, CommandReplied, CommandRequest, Outcome, Result
from engine.model.envelopes import Answered, Done, Refused, Report
from engine.model.notices import RawCommand
from engine.model.provisioning import BootReported, Registration
from engine.ocpp import catalogue, schemas
from engine.ocpp.errors import ErrorCode, LocalError, RemoteError
from engine.ocpp.translation import NotExpressible
from engine.ocpp.versions import Version
from engine.station.decider import Tick
from engine.station.policy import Policy
from loadtests.fuzz.payloads import payload
from tests.conformance.deciding import NAME, Hosted, judged, token
from tests.conformance.strategies import payloads
from tests.conformance.words import EPOCH, draw, kinds

QUICK = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[*HealthCheck],
)
DRAWS = 20
VERDICTS = (Answered, Refused, Done)

STATION_ACTIONS = [
    pytest.param(version, name, id=f"{version}-{name}")
    for version in Version
    for name, row in catalogue.actions(version).items()
    if row.from_station is not None
]
CSMS_ACTIONS = [
    pytest.param(version, name, id=f"{version}-{name}")
    for version in Version
    for name, row in catalogue.actions(version).items()
    if row.from_csms is not None
]


def stations(version):
    """In different moods: before its boot, accepted, pending, rejected, and with strangers let in."""
    tokens = [token("0"), token("-1", blocked=True, group="G"), token("null", expires_at=EPOCH)]
    open_door = Policy(unknown_tokens=TokenStatus.ACCEPTED, data_vendors_accepted=frozenset({"0", ""}))
    moods = [
        Hosted(),
        Hosted(policy=open_door, tokens=tokens),
        Hosted(record=judged(Registration.PENDING)),
        Hosted(record=judged(Registration.REJECTED)),
    ]
    for number, station in enumerate(moods):
        station.connect(version)
        if number:
            station.says(BootReported(vendor="V", model="M"))
    return moods


def assert_understood(version, action, said, moods):
    row = catalogue.actions(version)[action]
    if version is Version.V16 and action == "StatusNotification" and said["connectorId"] < 0:
        with pytest.raises(RemoteError, match=f"{ErrorCode.PROPERTY_CONSTRAINT_VIOLATION}: connectorId"):
            catalogue.understand(version, action, said)
        return  # the one thing that a schema allows and nobody can mean
    understood = catalogue.understand(version, action, said)
    assert understood.report == catalogue.understand(version, action, said).report, "always the same"
    for station in moods:
        verdict = station.says(understood.report, is_send=row.is_send)
        assert isinstance(verdict, VERDICTS), (verdict, said)
        if isinstance(verdict, Answered):
            answer = catalogue.answer_payload(version, action, verdict.answer)
            assert schemas.schema(version, action, "response").is_valid(answer)


@pytest.mark.parametrize(("version", "action"), STATION_ACTIONS)
def test_what_a_schema_allows_is_understood_decided_and_answered(version, action):
    chance = Random(f"{version} {action}")
    moods = stations(version)
    for _ in range(DRAWS):
        assert_understood(version, action, payload(version, "request", action, chance), moods)


@pytest.mark.parametrize(("version", "action"), STATION_ACTIONS)
def test_what_hypothesis_finds_in_a_schema_is_understood_decided_and_answered(version, action):
    moods = stations(version)

    @QUICK
    @given(payloads(version, "request", action))
    def prove(said):
        assert_understood(version, action, said, moods)

    prove()


def assert_outcome(version, action, said):
    outcome = catalogue.outcome_of(version, action, said)
    assert isinstance(outcome, Outcome)
    assert decode_outcome(encode(outcome)) == outcome
    return outcome


def assert_said_by_its_schema(version, command):
    """Or not expressible; or a number is missing in it that it is given when it is recorded."""
    try:
        action, said = catalogue.command_call(version, command)
    except NotExpressible:
        return
    except LocalError as error:
        if "not recorded" not in str(error):
            raise
        return
    assert schemas.schema(version, action, "request").is_valid(said)


def commanded(station, command, command_id):
    """The station is commanded; its id if the command left."""
    before = len(station.sent)
    station.wait(1)
    asked = CommandRequest(command_id, NAME, command, station.now, station.now.replace(year=2027))
    [verdict] = station.take(asked)
    assert isinstance(verdict, VERDICTS), (verdict, command)
    return command_id if len(station.sent) > before else None


@pytest.mark.parametrize(("version", "action"), CSMS_ACTIONS)
def test_every_answer_that_a_schema_allows_has_an_outcome(version, action):
    chance = Random(f"{version} {action}")
    station = stations(version)[1]
    for number in range(DRAWS):
        outcome = assert_outcome(version, action, payload(version, "response", action, chance))
        asked = payload(version, "request", action, chance)
        raw = RawCommand(action=action, payload=orjson.dumps(asked))
        assert catalogue.command_call(version, raw) == (action, asked)
        commanded(station, raw, f"c-{number}")
        assert isinstance(station.deliver(CommandReplied(f"c-{number}", outcome)), VERDICTS)


@pytest.mark.parametrize(("version", "action"), CSMS_ACTIONS)
def test_every_answer_that_hypothesis_finds_has_an_outcome(version, action):
    @QUICK
    @given(payloads(version, "response", action))
    def prove(said):
        assert_outcome(version, action, said)

    prove()


@pytest.mark.parametrize("kind", kinds(Report), ids=lambda kind: kind.__name__)
def test_every_report_whatever_it_says_is_decided_in_every_mood(kind):
    """Also reports that no translator makes today: the decider is total on its words."""
    chance = Random(kind.__name__)
    moods = stations(Version.V201)
    for _ in range(30):
        report = draw(kind, chance)
        for station in moods:
            station.wait(chance.choice((0, 1, 100_000)))
            assert isinstance(station.says(report), VERDICTS), report
            assert isinstance(station.take(Tick())[0], VERDICTS)


@pytest.mark.parametrize("kind", kinds(Command), ids=lambda kind: kind.__name__)
def test_every_command_is_said_by_its_schema_or_not_expressible_and_every_end_of_it_is_decided(kind):
    chance = Random(kind.__name__)
    for version in Version:
        for number, station in enumerate(stations(version)):
            for turn in range(5):
                command = draw(kind, chance)
                command_id = f"c-{number}-{turn}"
                assert_said_by_its_schema(version, command)
                commanded(station, command, command_id)
                answers = [draw(Outcome, chance), Outcome(result=chance.choice([*Result]))]
                for outcome in answers[: chance.randrange(3)]:
                    assert isinstance(station.deliver(CommandReplied(command_id, outcome)), VERDICTS)
                station.wait(chance.choice((0, 40)))
                station.take(Tick())


def test_every_type_of_value_that_words_hold_is_drawn():
    chance = Random(1)
    for kind in (*kinds(Report), *kinds(Command)):
        for _ in range(30):
            assert isinstance(draw(kind, chance), kind)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("version", Version)
def test_thousands_of_payloads_of_every_schema_are_understood_and_answered(version):
    chance = Random(f"long {version}")
    moods = stations(version)
    for _ in range(200):
        for name, row in catalogue.actions(version).items():
            if row.from_station is not None:
                assert_understood(version, name, payload(version, "request", name, chance), moods)
            if row.from_csms is not None:
                assert_outcome(version, name, payload(version, "response", name, chance))


@pytest.mark.parametrize("version", Version)
def test_strategies_and_schemas_agree(version):
    """What hypothesis makes of a schema is what the schema accepts."""
    for kind in ("request", "response"):
        for action in schemas.schemas_of(version, kind):
            prove_accepted(version, kind, action)


def prove_accepted(version, kind, action):
    schema = schemas.schema(version, action, kind)

    @settings(QUICK, max_examples=3)
    @given(payloads(version, kind, action))
    def prove(said):
        assert schema.is_valid(said)

    prove()
