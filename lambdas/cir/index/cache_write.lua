-- Writes entries unless the cache already has a newer version of them.
--
-- KEYS   n keys, then n lease keys that are given back
-- ARGV   time to live in ms, then per key: version, value. The value of a version floor ends in a colon (no body).
-- reply  how many were written
local ttl = ARGV[1]
local count = #KEYS / 2
local written = 0
for i = 1, count do
  local version, value = tonumber(ARGV[2 * i]), ARGV[2 * i + 1]
  local known = redis.call('GET', KEYS[i])
  local known_version = known and tonumber(string.match(known, '^(%d+):')) or -1
  -- a floor yields to an entry of its own version: that entry was read after the change
  local floor = string.sub(value, -1) == ':'
  if known_version < version or (known_version == version and not floor) then
    redis.call('SET', KEYS[i], value, 'PX', ttl)
    written = written + 1
  end
  redis.call('DEL', KEYS[count + i])
end
return written
