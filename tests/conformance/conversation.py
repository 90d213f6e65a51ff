"""A conversation in OCPP's own words without a socket: payloads in, payloads out, through catalogue and decider."""

import orjson

from engine.model.commands import CommandReplied, CommandRequest, CommandSettled
from engine.model.envelopes import Answered, Done, Refused
from engine.ocpp import catalogue
from engine.ocpp.versions import Version
from engine.station.decider import Tick
from tests.conformance.deciding import NAME, Hosted, token
from tests.conformance.samples.every import BOOT

DRIVER, PARENT = "DRIVER", "FLEET"
SECURITY_ERROR = "SecurityError"
V16, V201, V21 = Version


class Conversation:
    """One station of one version, connected. What each side says is checked by the official schemas on the way.

    Args:
        version: Of OCPP.
        boot: Whether it has said its BootNotification already.
        hosted: See `Hosted`.
    """

    def __init__(self, version, *, boot=True, **hosted):
        self.version = version
        self.station = Hosted(**{"tokens": (token(DRIVER, group=PARENT),), **hosted})
        self.station.connect(version)
        self.station.wait(10)
        self.booted = self.says("BootNotification", BOOT[version]) if boot else None
        self._commands = 0

    @property
    def facts(self):
        return self.station.facts

    def of(self, kind):
        return self.station.of(kind)

    def says(self, action, payload):
        """The payload of the answer; the code of the error where it is none."""
        report = catalogue.understand(self.version, action, orjson.loads(orjson.dumps(payload))).report
        is_send = catalogue.actions(self.version)[action].is_send
        verdict = self.station.says(report, is_send=is_send)
        match verdict:
            case Answered(answer):
                return catalogue.answer_payload(self.version, action, answer)
            case Refused():
                return SECURITY_ERROR
            case Done() if is_send:
                return None
        raise AssertionError(f"{action} was decided with {verdict}")

    def told(self, command):
        """(action, payload) that the station is sent because of a command; the outcome where nothing is sent."""
        self._commands += 1
        before, settled = len(self.station.sent), len(self.of(CommandSettled))
        now = self.station.now
        asked = CommandRequest(f"c-{self._commands}", NAME, command, now, now.replace(year=now.year + 1))
        self.station.take(asked)
        if len(self.station.sent) > before:
            return catalogue.command_call(self.version, self.station.sent[-1].command)
        if len(self.of(CommandSettled)) > settled:
            return self.of(CommandSettled)[-1].outcome
        return None

    def replies(self, payload):
        """The station's answer to the last command that was sent; its outcome."""
        dispatch = self.station.sent[-1]
        action, _ = catalogue.command_call(self.version, dispatch.command)
        outcome = catalogue.outcome_of(self.version, action, payload)
        self.station.deliver(CommandReplied(dispatch.command_id, outcome))
        return self.of(CommandSettled)[-1].outcome

    def refuses(self, code):
        """The station answers the last command with a CALLERROR."""
        outcome = catalogue.outcome_of_error(code, "said the station", {})
        self.station.deliver(CommandReplied(self.station.sent[-1].command_id, outcome))
        return self.of(CommandSettled)[-1].outcome

    def wait(self, seconds):
        """Time passes, and what is due is done."""
        self.station.wait(seconds)
        self.station.take(Tick())
