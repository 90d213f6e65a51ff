"""The Lua scripts of the sites' book: a change and its fact are written together, or neither is.

Only commands of Redis 6.2, only keys that are declared. Large sites name thousands of stations: they are looked at one
by one, because Lua cannot unpack so many at once. Replies: 1 recorded, 0 it was changed meanwhile or is not there,
`full:<length>` the stream is full, and what each script says besides.
"""

from typing import Final

from storage.journal_scripts import Script

SAVE_SITE: Final = Script("""
-- KEYS: stream, sites, revisions, stations
-- ARGV: most entries, entry, site, its last revision ('' none), whether it is there, its new revision, value,
--       how many stations go, how many it has, those that go..., those that it has...
-- Replies {station, site} where a station belongs to another site.
local site, gone, has = ARGV[3], tonumber(ARGV[8]), tonumber(ARGV[9])
if (redis.call('HGET', KEYS[3], site) or '') ~= ARGV[4] then return 0 end
if redis.call('HEXISTS', KEYS[2], site) ~= tonumber(ARGV[5]) then return 0 end
for i = 10 + gone, 9 + gone + has do
  local owner = redis.call('HGET', KEYS[4], ARGV[i])
  if owner and owner ~= site then return {ARGV[i], owner} end
end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('HSET', KEYS[2], site, ARGV[7])
redis.call('HSET', KEYS[3], site, ARGV[6])
for i = 10, 9 + gone do redis.call('HDEL', KEYS[4], ARGV[i]) end
for i = 10 + gone, 9 + gone + has do redis.call('HSET', KEYS[4], ARGV[i], site) end
return 1
""")

REMOVE_SITE: Final = Script("""
-- KEYS: stream, sites, revisions, stations, and what goes with the site...
-- ARGV: most entries, entry, site, its revision, its stations...
local site = ARGV[3]
if redis.call('HGET', KEYS[3], site) ~= ARGV[4] or redis.call('HEXISTS', KEYS[2], site) == 0 then return 0 end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('HDEL', KEYS[2], site)
for i = 5, #ARGV do redis.call('HDEL', KEYS[4], ARGV[i]) end
for i = 5, #KEYS do redis.call('DEL', KEYS[i]) end
return 1
""")

SAVE_CAP: Final = Script("""
-- KEYS: stream, sites, caps, heard   ARGV: most entries, entry, site, source, value, heard at, most caps of a site
-- Replies 'site' where there is no such site, 'many' where it has too many caps.
if redis.call('HEXISTS', KEYS[2], ARGV[3]) == 0 then return 'site' end
if redis.call('HEXISTS', KEYS[3], ARGV[4]) == 0 and redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[7]) then
  return 'many'
end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[4], ARGV[4], ARGV[6])
return 1
""")

HEAR_CAP: Final = Script("""
-- KEYS: stream, caps, heard   ARGV: most entries, entry, source, heard at
if redis.call('HEXISTS', KEYS[2], ARGV[3]) == 0 then return 0 end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
return 1
""")

RELEASE_CAP: Final = Script("""
-- KEYS: stream, caps, heard   ARGV: most entries, entry, source
if redis.call('HEXISTS', KEYS[2], ARGV[3]) == 0 then return 0 end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[3])
redis.call('HDEL', KEYS[3], ARGV[3])
return 1
""")

SAVE_SERIES: Final = Script("""
-- KEYS: stream, sites, series   ARGV: most entries, entry, site, kind, value
-- Replies 'site' where there is no such site.
if redis.call('HEXISTS', KEYS[2], ARGV[3]) == 0 then return 'site' end
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
return 1
""")

ASK: Final = Script("""
-- KEYS: stream, requests, times   ARGV: most entries, entry, name, value, time, time before which they are over, most
local length = redis.call('XLEN', KEYS[1])
if length >= tonumber(ARGV[1]) then return 'full:' .. length end
redis.call('XADD', KEYS[1], '*', 'e', ARGV[2])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3])
local over = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[6], 'LIMIT', 0, 100)
for _, name in ipairs(over) do
  redis.call('HDEL', KEYS[2], name)
  redis.call('ZREM', KEYS[3], name)
end
while redis.call('ZCARD', KEYS[3]) > tonumber(ARGV[7]) do
  local oldest = redis.call('ZPOPMIN', KEYS[3])
  redis.call('HDEL', KEYS[2], oldest[1])
end
return 1
""")

TELL: Final = Script("""
-- KEYS: stream   ARGV: most entries, entry...
-- Replies how many of the oldest entries were dropped.
local before = redis.call('XLEN', KEYS[1])
for i = 2, #ARGV do redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'e', ARGV[i]) end
return before + #ARGV - 1 - redis.call('XLEN', KEYS[1])
""")
"""`MAXLEN ~` drops whole nodes of 100 entries: cheap, and at most so many more than the bound."""
