"""The Lua scripts that make commits atomic, and what their replies mean.

Why a script is all or nothing: Redis runs it alone, writes its effects to the append-only file as one MULTI/EXEC, and
refuses the first write of a script, never a later one, when memory or disk is exhausted. The first write is the XADD.

Only commands of Redis 6.2, only keys that are declared. The keys of a unit have one hash tag; a Redis Cluster needs a
call for each slot, which the scripts allow.

The fence of a unit is `<epoch>.<generation>`. The epoch grows when the unit moves to another owner. The generation
grows when the same owner lost sight of a commit (time-out, broken connection): the lost command may still sit in a
socket and run later, after the owner has read the states anew; the new generation makes that late commit void.
"""

import hashlib
from typing import Final

from engine.model.ids import Unit
from engine.ports import Fenced, JournalUnavailable


class Script:
    """A Lua script and the name under which Redis remembers it."""

    def __init__(self, text: str) -> None:
        self.text: Final = text.strip().encode()
        self.sha: Final = hashlib.sha1(self.text, usedforsecurity=False).hexdigest().encode()


RECORDED: Final = 1
"""What a script replies when all is written."""

COMMIT: Final = Script("""
-- KEYS: for each unit: fence, stream, state...
-- ARGV: most entries; for each unit: our fence, how many states, entry, state...
local bound = tonumber(ARGV[1])
local key, argument = 1, 2
local replies = {}
while key <= #KEYS do
  local count = tonumber(ARGV[argument + 1])
  local fence = redis.call('GET', KEYS[key])
  local reply = 1
  if fence ~= ARGV[argument] then
    reply = 'fence:' .. (fence or '')
  else
    local length = redis.call('XLEN', KEYS[key + 1])
    if length >= bound then
      reply = 'full:' .. length
    else
      redis.call('XADD', KEYS[key + 1], '*', 'e', ARGV[argument + 2])
      for i = 1, count do redis.call('SET', KEYS[key + 1 + i], ARGV[argument + 2 + i]) end
    end
  end
  replies[#replies + 1] = reply
  key = key + 2 + count
  argument = argument + 3 + count
end
return replies
""")
"""Several units in one call: a call costs Redis as much as a dozen writes. A unit that is refused leaves the others be.

(A table for MSET instead of the loop of SET costs Lua more than it saves: 13 against 18 us per state of 1.6 kB.)
"""

FENCE: Final = Script("""
-- KEYS: fence   ARGV: our epoch, 'claim' (take the unit) or 'renew' (it is ours: only a new generation)
local fence = redis.call('GET', KEYS[1])
local epoch, generation = -1, 0
if fence then
  local e, g = string.match(fence, '^(%d+)%.(%d+)$')
  if not e then return redis.error_reply('NARKE ' .. KEYS[1] .. ' is no fence: ' .. fence) end
  epoch, generation = tonumber(e), tonumber(g)
end
local ours = tonumber(ARGV[1])
if epoch > ours or (epoch < ours and ARGV[2] == 'renew') then return fence or '' end
if epoch < ours then generation = 0 end
fence = string.format('%s.%.0f', ARGV[1], generation + 1)
redis.call('SET', KEYS[1], fence)
return fence
""")

RECORD: Final = Script("""
-- KEYS: stream, record...   ARGV: most entries, entry, record...
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1]) end
return 1
""")

REPLACE: Final = Script("""
-- KEYS: stream, record   ARGV: most entries, entry, the record as it was, as it becomes
if redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('SET', KEYS[2], ARGV[4])
return 1
""")

REMOVE: Final = Script("""
-- KEYS: stream, record   ARGV: most entries, entry
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('DEL', KEYS[2])
return 1
""")

RESERVE: Final = Script("""
-- KEYS: last number   ARGV: how many, highest number
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if last + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 'spent:' .. string.format('%.0f', last) end
return redis.call('INCRBY', KEYS[1], ARGV[1])
""")

RAISE: Final = Script("""
-- KEYS: last number   ARGV: a number that is taken
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if last < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1
""")


def epoch_of(fence: bytes) -> int | None:
    """The epoch of a fence; None: there is no fence."""
    return int(fence.partition(b".")[0]) if fence else None


def fenced(unit: Unit, epoch: int, stored: int | None) -> Fenced:
    """The refusal of an owner whose epoch is not the unit's."""
    if stored is None:
        return Fenced(f"unit {unit.name} has no owner in the journal, so epoch {epoch} cannot write: claim it")
    if stored < epoch:
        return Fenced(f"unit {unit.name} has epoch {stored} in the journal, so epoch {epoch} cannot write: claim it")
    return Fenced(f"unit {unit.name} has epoch {stored} in the journal, ours is {epoch}: another owner has it")


def full(stream: str, length: int, bound: int) -> JournalUnavailable:
    """The refusal of a stream at its bound."""
    return JournalUnavailable(
        f"stream {stream} is full: {length} entries wait for PostgreSQL (bound {bound}). The projector or PostgreSQL "
        "is behind: see `narke status`, bring PostgreSQL back or give it time; nothing more is recorded here until then"
    )


def verdict(reply: object, unit: Unit, epoch: int, bound: int) -> Fenced | JournalUnavailable | None:
    """What a reply of `COMMIT` means; None: recorded."""
    if reply == RECORDED:
        return None
    kind, _, value = reply.partition(b":") if isinstance(reply, bytes) else (b"", b"", b"")
    if kind == b"full":
        return full(f"s{unit.shard}", int(value), bound)
    if kind != b"fence":
        return JournalUnavailable(
            f"Redis answered a commit of unit {unit.name} with {reply!r}: is it Redis 6.2 or later?"
        )
    stored = epoch_of(value)
    if stored != epoch:
        return fenced(unit, epoch, stored)
    return JournalUnavailable(
        f"unit {unit.name} was renewed at the same epoch {epoch} since its states were read; nothing was recorded: "
        "read them anew"
    )
