-- Leaves floors in the place of entries that have become old.
--
-- KEYS   n keys
-- ARGV   time to live of a floor in ms, then per key the version below which an entry is old, or -1: of whatever version
-- reply  how many floors were set
local ttl = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local set = 0
for i = 1, #KEYS do
  local version = tonumber(ARGV[1 + i])
  local known = redis.call('GET', KEYS[i])
  local known_version, body = string.match(known or '', '^(%d+):%d+:%d+:[^:]*:(.*)$')
  known_version = tonumber(known_version or -1)
  -- an entry of that version or a newer one was read after the change
  local old = version < 0 or known_version < version
  if old then
    redis.call('SET', KEYS[i], string.format('%d:%d:0::', math.max(version, known_version, 0), now), 'PX', ttl)
    set = set + 1
  end
end
return set
