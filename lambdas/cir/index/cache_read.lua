-- Reads identifier entries and the contacts they lead to, in one round trip.
--
-- An entry is `version:changed:fresh:next:body`. `changed` is when it was last told to be old, `fresh` until when it answers
-- by itself, both in µs. `next` is the contact to go on with: of an identifier entry its only contact, of a tombstone the
-- contact that it was merged into. An entry without a body is a floor, left by an invalidation. A floor counts as absent,
-- and so does whatever is not of this form.
--
-- KEYS   n identifier (or contact) keys, then n lease keys
-- ARGV   prefix of contact keys, lease in ms, refresh window in µs
-- reply  now in µs, then six values per key: entry or "", contact id or "", contact entry or "",
--        until when everything that was read on the way is fresh, `changed` or 0,
--        1 when this caller is the one that has to read the table (nothing fresh, or nearly stale), else 0
local prefix, lease_ms, window = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local reply = {now}
local count = #KEYS / 2

local function read(key)
  local entry = redis.call('GET', key)
  if not entry then return nil, 0, '', 0 end
  local changed, fresh, next, body = string.match(entry, '^%d+:(%d+):(%d+):([^:]*):(.*)$')
  if not body then return nil, 0, '', 0 end
  if body == '' then return nil, 0, '', tonumber(changed) end
  return entry, tonumber(fresh), next, tonumber(changed)
end

for i = 1, count do
  local entry, fresh, next, changed = read(KEYS[i])
  local contact, contact_id = '', ''
  local hops = 0
  while entry and next ~= '' and hops < 8 do
    hops = hops + 1
    contact_id = next
    local found, found_fresh
    found, found_fresh, next = read(prefix .. contact_id)
    contact = found or ''
    fresh = math.min(fresh, found_fresh)
  end
  local lease = 0
  if (not entry or fresh - now < window) and redis.call('SET', KEYS[count + i], '1', 'NX', 'PX', lease_ms) then
    lease = 1
  end
  reply[#reply + 1] = entry or ''
  reply[#reply + 1] = contact_id
  reply[#reply + 1] = contact
  reply[#reply + 1] = fresh
  reply[#reply + 1] = changed
  reply[#reply + 1] = lease
end
return reply
