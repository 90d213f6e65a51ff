"""The queue: commands that wait, the one that was sent, those just settled, and how facts change it.

One command at a time is with the station (OCPP-J 1.6 section 4.1.1, 2.1 part 4 section 4.1.1): the next goes when the
answer came or is given up. The bound on open commands is the policy's (`commands_open_max`, kept by `commands`).
Settled ones are remembered until their deadline and SETTLED_KEPT_S more, at most SETTLED_MAX, so that a request that
was sent again, or a late answer, is understood.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from engine.model.commands import CommandRequest, CommandRequested, CommandSent, CommandSettled, Outcome
from engine.model.remote_control import RequestStart

SETTLED_MAX = 8
SETTLED_KEPT_S = 60
OUTCOME_BYTES_MAX = 4096
NUMBER_MAX = 2**31 - 1


class OpenCommand(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A command on its way.

    `session`: over which it was sent; None: it waits. `answer_by`: when we give up waiting for the answer; None: it was
    not sent, or by an older Narke, which waited until the deadline.
    """

    request: CommandRequest
    session: str | None = None
    answer_by: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """When it is given up."""
        return self.request.deadline_at if self.answer_by is None else self.answer_by


class SettledCommand(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A command that is over, remembered until then. A long answer is left out of `outcome`: it is in the journal."""

    command_id: str
    outcome: Outcome
    until: datetime


class Queue(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The commands of one station, oldest first.

    `remote_start_last`: the last remoteStartId given (2.1 F01, F02). `request_last`: the last requestId given to a
    command that has one (reports, logs, firmware, ...).
    """

    open: tuple[OpenCommand, ...] = ()
    settled: tuple[SettledCommand, ...] = ()
    remote_start_last: int = 0
    request_last: int = 0

    def find(self, command_id: str) -> OpenCommand | None:
        """One that waits or was sent."""
        return next((command for command in self.open if command.request.command_id == command_id), None)

    def outcome(self, command_id: str) -> Outcome | None:
        """What came of one that was settled lately."""
        return next((command.outcome for command in self.settled if command.command_id == command_id), None)

    @property
    def sent(self) -> OpenCommand | None:
        """The one that waits for its answer."""
        return next((command for command in self.open if command.session is not None), None)

    @property
    def waiting(self) -> tuple[OpenCommand, ...]:
        """Those that were not sent yet."""
        return tuple(command for command in self.open if command.session is None)

    @property
    def next(self) -> OpenCommand | None:
        """The one to send now; None: none waits, or one is with the station."""
        if self.sent is not None:
            return None
        return max(self.waiting, key=lambda command: command.request.priority, default=None)

    @property
    def remote_start_next(self) -> int:
        """A remoteStartId that this station has not had: 1 to 2**31 - 1, then round again."""
        return _after(self.remote_start_last)

    @property
    def request_next(self) -> int:
        """A requestId that this station has not had: 1 to 2**31 - 1, then round again."""
        return _after(self.request_last)

    def requested(self, fact: CommandRequested) -> "Queue":
        """One more waits."""
        if self.find(fact.request.command_id) is not None:
            return self
        command = fact.request.command
        start = command.remote_start_id if isinstance(command, RequestStart) else None
        return replace(
            self,
            open=(*self.open, OpenCommand(fact.request)),
            remote_start_last=_last(self.remote_start_last, start),
            request_last=_last(self.request_last, getattr(command, "request_id", None)),
        )

    def left(self, fact: CommandSent) -> "Queue":
        """One went out."""
        return replace(
            self,
            open=tuple(
                replace(command, session=fact.session, answer_by=fact.answer_by)
                if command.request.command_id == fact.command_id
                else command
                for command in self.open
            ),
        )

    def closed(self, fact: CommandSettled) -> "Queue":
        """One is over."""
        command = self.find(fact.command_id)
        deadline = fact.at if command is None else max(fact.at, command.due_at)
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


def _after(last: int) -> int:
    return last + 1 if last < NUMBER_MAX else 1


def _last(last: int, given: int | None) -> int:
    """The last number given, after this one was."""
    if given is not None and (given == _after(last) or NUMBER_MAX >= given > last):
        return given
    return last


def _short(outcome: Outcome) -> Outcome:
    """The outcome, without an answer too long to be written with every message of the station."""
    size = len(outcome.payload or b"") + sum(64 + len(result.value or "") for result in outcome.variables)
    size += len(outcome.detail or "")
    if size <= OUTCOME_BYTES_MAX:
        return outcome
    detail = (
        f"{(outcome.detail or '')[:200]} The answer is too long to be given twice: see the command's record.".strip()
    )
    return replace(outcome, payload=None, variables=(), certificates=(), found=None, detail=detail)
