"""What the real decider answers, for tests of the wording of answers."""

from tests.engine.station.conftest import Actor


def answer_to(report):
    """The answer of an actor whose station is accepted and says this."""
    actor = Actor()
    actor.connect()
    actor.boot()
    return actor.says(report)
