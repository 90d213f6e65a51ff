"""The queue: commands that wait for a station's answer and those just settled, and how facts change it.

The bound on open commands is the policy's (`commands_open_max`, kept by `commands`). Settled ones are remembered until
their deadline and SETTLED_KEPT_S more, at most SETTLED_MAX, so that a request that was sent again, or a late answer, is
understood.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from engine.model.commands import CommandRequest, CommandRequested, CommandSettled, Outcome
from engine.model.remote_control import RequestStart

SETTLED_MAX = 8
SETTLED_KEPT_S = 60
OUTCOME_BYTES_MAX = 4096
REMOTE_START_ID_MAX = 2**31 - 1


class OpenCommand(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A command on its way. `session`: over which it was sent; None: it never was."""

    request: CommandRequest
    session: str | None = None


class SettledCommand(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A command that is over, remembered until then. A long answer is left out of `outcome`: it is in the journal."""

    command_id: str
    outcome: Outcome
    until: datetime


class Queue(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The commands of one station, oldest first. `remote_start_last`: the last remoteStartId given (2.1 F01, F02)."""

    open: tuple[OpenCommand, ...] = ()
    settled: tuple[SettledCommand, ...] = ()
    remote_start_last: int = 0

    def find(self, command_id: str) -> OpenCommand | None:
        """One that waits for its answer."""
        return next((command for command in self.open if command.request.command_id == command_id), None)

    def outcome(self, command_id: str) -> Outcome | None:
        """What came of one that was settled lately."""
        return next((command.outcome for command in self.settled if command.command_id == command_id), None)

    @property
    def remote_start_next(self) -> int:
        """A remoteStartId that this station has not had: 1 to 2**31 - 1, then round again."""
        return self.remote_start_last + 1 if self.remote_start_last < REMOTE_START_ID_MAX else 1

    def requested(self, fact: CommandRequested, session: str | None) -> "Queue":
        """One more waits."""
        if self.find(fact.request.command_id) is not None:
            return self
        start = fact.request.command
        given = start.remote_start_id if isinstance(start, RequestStart) else None
        last = self.remote_start_last
        if given is not None and (given == self.remote_start_next or REMOTE_START_ID_MAX >= given > last):
            last = given
        return replace(self, open=(*self.open, OpenCommand(fact.request, session)), remote_start_last=last)

    def closed(self, fact: CommandSettled) -> "Queue":
        """One is over."""
        command = self.find(fact.command_id)
        deadline = fact.at if command is None else max(fact.at, command.request.deadline_at)
        until = deadline + timedelta(seconds=SETTLED_KEPT_S)
        settled = SettledCommand(fact.command_id, _short(fact.outcome), until)
        others = tuple(other for other in self.settled if other.command_id != fact.command_id)
        return replace(
            self,
            open=tuple(other for other in self.open if other is not command),
            settled=(*others, settled)[-SETTLED_MAX:],
        )

    def pruned(self, now: datetime) -> "Queue":
        """Without the settled commands whose time is over."""
        if not self.settled or all(command.until >= now for command in self.settled):
            return self
        return replace(self, settled=tuple(command for command in self.settled if command.until >= now))


def _short(outcome: Outcome) -> Outcome:
    """The outcome, without an answer too long to be written with every message of the station."""
    size = len(outcome.payload or b"") + sum(64 + len(result.value or "") for result in outcome.variables)
    size += len(outcome.detail or "")
    if size <= OUTCOME_BYTES_MAX:
        return outcome
    detail = (
        f"{(outcome.detail or '')[:200]} The answer is too long to be given twice: see the command's record.".strip()
    )
    return replace(outcome, payload=None, variables=(), detail=detail)
