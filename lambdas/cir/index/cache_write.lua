-- Writes what was read from the tables, unless the cache knows of something newer.
--
-- An entry is refused when the cache has a newer version of it. An identifier's is also refused when the cache was told
-- that it is old after its reader began, who may have seen its contacts as they were before; a reader that began soon
-- after that must have read consistently.
--
-- KEYS   n keys, then n lease keys that are given back
-- ARGV   time to live in ms, when the reader began (µs; 0: not known, and so no earlier than now), 1 if it read
--        consistently, for how long after a change that is asked for (µs); then per key: version,
--        1 where the version does not tell all, `fresh:next:body`
-- reply  how many were written
local ttl, began, consistent, window = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if began == 0 then began = now end
local count = #KEYS / 2
local written = 0
for i = 1, count do
  local version, timed, value = tonumber(ARGV[2 + 3 * i]), ARGV[3 + 3 * i] == '1', ARGV[4 + 3 * i]
  local known = redis.call('GET', KEYS[i])
  local known_version, changed = string.match(known or '', '^(%d+):(%d+):%d+:[^:]*:')
  known_version, changed = tonumber(known_version or -1), tonumber(changed or 0)
  local sees_it = not timed or changed == 0 or (began > changed and (consistent or began - changed >= window))
  if known_version <= version and sees_it then
    if now - changed >= window then changed = 0 end
    redis.call('SET', KEYS[i], string.format('%d:%d:%s', version, changed, value), 'PX', ttl)
    written = written + 1
  end
  redis.call('DEL', KEYS[count + i])
end
return written
