"""Local lists: what a station has, as far as it tells. OCPP 2.1 block D, 1.6 sections 5.10 and 5.15.

    SendLocalList        Accepted                in_sync, or syncing while more of the change follows
                         Failed, VersionMismatch stale: its list is sent anew, whole (D01.FR.03, 1.6 section 5.15)
                         NotSupported            unsupported
                         no answer               stale, and asked for its version: it may have taken the change in
    GetLocalListVersion  the believed version    as it was
                         another                 stale; its entries are not known any more
                         -1                      unsupported (1.6)
    boot                 its version is asked for a moment later

What is sent is worked out where all tokens are known (`engine.local_lists`, `ingress.http.local_lists`).
"""

from datetime import datetime, timedelta

from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.local_list import (
    VERSION_EMPTY,
    GetLocalListVersion,
    ListState,
    ListVersion,
    LocalListAsked,
    LocalListChecked,
    LocalListDoubted,
    LocalListRefused,
    LocalListUpdated,
    SendLocalList,
)
from engine.station import commands
from engine.station.context import Context
from engine.station.effects import Effect, Record
from engine.station.state import StationState

ASK_AFTER_BOOT_S = 10.0
"""Later than the answer to the boot, and than what else a station says first."""
NEVER_SENT = frozenset({Result.OFFLINE, Result.EXPIRED, Result.CANCELLED, Result.REPLACED, Result.NOT_EXPRESSIBLE})
_NOT_SUPPORTED = frozenset({"NotSupported", "NotImplemented"})


def objection(_state: StationState, command: SendLocalList, _context: Context) -> str | None:
    """Why a list must not be sent (2.1 D01.FR.06, D01.FR.18); None: it may."""
    if command.version < 1:
        return f"A list's version is 1 or more, not {command.version} (2.1 D01.FR.18)."
    keys = [entry.token.key for entry in command.entries]
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        return f"The token {twice} is in the list twice (2.1 D01.FR.06): give each once; case does not matter."
    if command.full and any(entry.verdict is None for entry in command.entries):
        return "A full list takes nothing out: leave out the entries without a verdict."
    return None


def sent(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """What became of a SendLocalList."""
    command = request.command
    assert isinstance(command, SendLocalList)
    if outcome.result is Result.ACCEPTED:
        updated = LocalListUpdated(
            version=command.version,
            full=command.full,
            entries=command.entries,
            noted_at=context.now,
            total=command.total,
            state=ListState.SYNCING if command.more else ListState.IN_SYNC,
        )
        return (Record(updated),)
    if outcome.result in NEVER_SENT or (outcome.result is Result.REFUSED and outcome.status is None):
        return ()
    supported = outcome.status not in _NOT_SUPPORTED
    refused = LocalListRefused(
        version=command.version,
        full=command.full,
        status=outcome.status or outcome.result.value,
        noted_at=context.now,
        state=ListState.STALE if supported else ListState.UNSUPPORTED,
        detail=outcome.detail,
    )
    if outcome.result not in commands.UNCERTAIN:
        return (Record(refused),)
    name = f"list-version:{request.command_id[:40]}"
    return Record(refused), *commands.issue(state, context, GetLocalListVersion(), name)


def told(state: StationState, _request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """What the answer to GetLocalListVersion means."""
    version = outcome.found.version if isinstance(outcome.found, ListVersion) else None
    if outcome.result is Result.FAILED and outcome.status in _NOT_SUPPORTED:
        version = -1
    if outcome.result not in (Result.ACCEPTED, Result.FAILED) or version is None:
        return ()
    known = state.known_list
    same = version == known.version
    if version < VERSION_EMPTY:
        list_state = ListState.UNSUPPORTED
    elif not same:
        list_state = ListState.STALE
    elif known.state in (None, ListState.UNSUPPORTED):
        list_state = ListState.IN_SYNC if version == VERSION_EMPTY else ListState.STALE
    else:
        list_state = known.state
    return (Record(LocalListChecked(version=version, known=same, state=list_state, noted_at=context.now)),)


def booted(state: StationState, context: Context) -> tuple[LocalListDoubted, ...]:
    """A station whose list Narke keeps has restarted: it may have lost it."""
    known = state.known_list.state
    if not context.policy.authorization.check_list_after_boot or known in (None, ListState.UNSUPPORTED):
        return ()
    ask_at = context.now + timedelta(seconds=ASK_AFTER_BOOT_S)
    return (LocalListDoubted(ask_at=ask_at, noted_at=context.now),)


def ask_at(state: StationState) -> datetime | None:
    """When a station is asked for its version."""
    return state.known_list.ask_at


def ask(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Asks it; it waits for the station, where that has gone again."""
    due = state.known_list.ask_at
    assert due is not None, "rung without a time"
    name = f"list-version:boot-{due:%Y%m%dT%H%M%S}"
    asked = Record(LocalListAsked(noted_at=context.now))
    return asked, *commands.issue(state, context, GetLocalListVersion(), name)
