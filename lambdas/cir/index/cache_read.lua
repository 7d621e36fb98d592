-- Reads identifier entries and the contacts they lead to, in one round trip.
--
-- An entry is `version:fresh_until_ms:next:body`. `next` is the contact to go on with: of an identifier entry its only
-- contact, of a tombstone the contact that it was merged into. An entry without a body is a version floor, left by an
-- invalidation so that nobody can write back what was read before it; it counts as absent.
--
-- KEYS   n identifier (or contact) keys, then n lease keys
-- ARGV   prefix of contact keys, lease in ms, refresh window in ms
-- reply  now in ms, then four values per key: entry or "", contact id or "", contact entry or "",
--        1 when this caller is the one that has to read the table (nothing fresh, or nearly stale), else 0
local prefix, lease_ms, window_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {now}
local count = #KEYS / 2

local function read(key)
  local entry = redis.call('GET', key)
  if not entry then return nil end
  local fresh, next, body = string.match(entry, '^%d+:(%d+):([^:]*):(.*)$')
  if not body or body == '' then return nil end
  return entry, tonumber(fresh), next
end

for i = 1, count do
  local entry, fresh, next = read(KEYS[i])
  local contact, contact_id = '', ''
  local hops = 0
  while entry and next ~= '' and hops < 8 do
    hops = hops + 1
    contact_id = next
    local found, found_fresh
    found, found_fresh, next = read(prefix .. contact_id)
    if not found then
      contact, fresh, next = '', 0, ''
    else
      contact = found
      fresh = math.min(fresh, found_fresh)
    end
  end
  local lease = 0
  if (not entry or fresh - now < window_ms) and redis.call('SET', KEYS[count + i], '1', 'NX', 'PX', lease_ms) then
    lease = 1
  end
  reply[#reply + 1] = entry or ''
  reply[#reply + 1] = contact_id
  reply[#reply + 1] = contact
  reply[#reply + 1] = lease
end
return reply
