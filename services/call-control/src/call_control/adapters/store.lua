#!lua name=b2bua_store_@DIGEST@
-- Everything that one transition of a call writes, in one atomic step. redis_function.py packs the
-- arguments and reads the replies; the digest in the names is that of this text, so that pods of two
-- releases each find their own library.

-- Flags of a commit; the same numbers as in redis_function.py.
local ENDS, RESTORES, MARKS, UNMARKS, ACTIVATES, DEACTIVATES = 1, 2, 4, 8, 16, 32
-- First number of a reply; the same numbers as in redis_function.py.
local COMMITTED, CONFLICT, MERGED, ENDED, GONE = 0, 1, 2, 3, 4

-- A record and a tombstone are strings: ten digits of version, the id of the commit that wrote it, a newline,
-- and the body. So a commit reads ten bytes, and writes all of it with its time to live in one command.
local digits = 10

local function microseconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function milliseconds(micros)
  return string.format('%.0f', math.floor(micros / 1000))
end

-- Version, commit id and body of what is stored; nil if there is nothing.
local function read(name)
  local stored = redis.call('GET', name)
  if not stored then
    return nil
  end
  local newline = string.find(stored, '\n', digits, true)
  local id, body = string.sub(stored, digits + 1, newline - 1), string.sub(stored, newline + 1)
  return tonumber(string.sub(stored, 1, digits)), id, body
end

local function body_of(written)
  return string.sub(written, string.find(written, '\n', digits, true) + 1)
end

-- Reply for a call that has no record: what its tombstone says.
local function absent(tomb, now)
  local version, _, body = read(tomb)
  if version then
    return {ENDED, version, now, body}
  end
  return {GONE, 0, now}
end

-- Reply of a commit that writes nothing; nil if it is to be written.
local function refusal(keys, args, flags)
  local expected = tonumber(args[2])
  local version, id, body = read(keys[1])
  if version then
    if version == expected then
      return nil
    end
    if version == expected + 1 and id == args[3] then
      return version
    end
    return {CONFLICT, version, 0, body}
  end
  version, id, body = read(keys[2])
  if version then
    if id == args[3] then
      return version
    end
    return {ENDED, version, 0, body}
  end
  if expected > 0 then
    return {GONE, 0, 0}
  end
  if bit.band(flags, MARKS) ~= 0 then
    local holder = redis.call('GET', keys[5])
    if holder and holder ~= args[1] then
      return {MERGED, 0, 0}
    end
  end
  return nil
end

-- The same for a commit that writes back what was lost.
local function restore_refusal(keys, args, flags)
  local expected = tonumber(args[2])
  local ends = bit.band(flags, ENDS) ~= 0
  local version, _, body = read(keys[1])
  if version then
    if version < expected then
      return nil
    end
    if version == expected and not ends and body == body_of(args[7]) then
      return version
    end
    return {CONFLICT, version, 0, body}
  end
  version, _, body = read(keys[2])
  if not version or version < expected then
    return nil
  end
  if version == expected and ends and body == body_of(args[7]) then
    return expected
  end
  return {ENDED, version, 0, body}
end

local function write_marker(keys, args, flags)
  local merge = keys[5]
  if bit.band(flags, MARKS) ~= 0 then
    redis.call('SET', merge, args[1], 'PX', args[4])
  elseif bit.band(flags, UNMARKS) ~= 0 and redis.call('GET', merge) == args[1] then
    redis.call('DEL', merge)
  end
end

local function write(keys, args, flags)
  local record, tomb, due, active = keys[1], keys[2], keys[3], keys[4]
  local ends = bit.band(flags, ENDS) ~= 0
  local kept, dropped = record, tomb
  if ends then
    kept, dropped = tomb, record
  end
  redis.call('SET', kept, args[7], 'PX', args[4])
  if ends or bit.band(flags, RESTORES) ~= 0 then
    redis.call('DEL', dropped)
  end
  if args[6] == '' then
    redis.call('ZREM', due, args[1])
  else
    redis.call('ZADD', due, args[6], args[1])
  end
  if flags == 0 then
    return
  end
  if bit.band(flags, ACTIVATES) ~= 0 then
    redis.call('SADD', active, args[1])
  elseif bit.band(flags, DEACTIVATES) ~= 0 then
    redis.call('SREM', active, args[1])
  end
  write_marker(keys, args, flags)
end

-- keys: record, tombstone, deadlines; with any flag or accounting also active index, merge marker, outbox
-- args: call key, expected version, commit id, time to live, flags, deadline or '', body, accounting...
-- reply: the version written; else what is stored, without the time: claims and leases tell it often enough
local function commit(keys, args)
  local flags = tonumber(args[5])
  local version = tonumber(args[2])
  local refused
  if bit.band(flags, RESTORES) ~= 0 then
    refused = restore_refusal(keys, args, flags)
  else
    local known = version > 0 and redis.call('GETRANGE', keys[1], 0, digits - 1)
    if not known or tonumber(known) ~= version then
      refused = refusal(keys, args, flags)
    end
    version = version + 1
  end
  if refused then
    return refused
  end
  write(keys, args, flags)
  for i = 8, #args do
    redis.call('XADD', keys[6], '*', 'k', args[1], 'r', args[i])
  end
  return version
end

-- keys: record, tombstone
local function load(keys, args)
  local now = microseconds()
  local version, _, body = read(keys[1])
  if version then
    return {COMMITTED, version, now, body}
  end
  return absent(keys[2], now)
end

-- keys: deadlines of one or more shards; args: limit per shard, time until a claimed call is due again
-- reply: 0, 0, time, call keys. A deadline whose record has expired is removed, and its index entry.
local function claim(keys, args)
  local now = microseconds()
  local reply = {0, 0, now}
  local present = milliseconds(now)
  local again = milliseconds(now + tonumber(args[2]) * 1000)
  for _, due in ipairs(keys) do
    local prefix = string.sub(due, 1, -4)
    for _, call in ipairs(redis.call('ZRANGE', due, '-inf', present, 'BYSCORE', 'LIMIT', 0, args[1])) do
      if redis.call('EXISTS', prefix .. 'call:' .. call) == 1 then
        redis.call('ZADD', due, again, call)
        reply[#reply + 1] = call
      else
        redis.call('ZREM', due, call)
        redis.call('SREM', prefix .. 'active', call)
      end
    end
  end
  return reply
end

-- keys: pods (sorted set: last moment of each), leases (hash: shard to pod)
-- args: pod, time to live (0: leave), shards; reply: 0, 0, time, leased shards
local function lease(keys, args)
  local pods, leases = keys[1], keys[2]
  local pod, ttl, shards = args[1], tonumber(args[2]), tonumber(args[3])
  local now = microseconds()
  if ttl > 0 then
    redis.call('ZADD', pods, milliseconds(now + ttl * 1000), pod)
  else
    redis.call('ZREM', pods, pod)
  end
  redis.call('ZREMRANGEBYSCORE', pods, '-inf', milliseconds(now))
  local living = {}
  local count = 0
  for _, name in ipairs(redis.call('ZRANGE', pods, 0, -1)) do
    living[name] = true
    count = count + 1
  end
  local share = living[pod] and math.ceil(shards / count) or 0
  local held, free = {}, {}
  for shard = 0, shards - 1 do
    local owner = redis.call('HGET', leases, shard)
    if owner == pod then
      held[#held + 1] = shard
    elseif not owner or not living[owner] then
      free[#free + 1] = shard
    end
  end
  local reply = {0, 0, now}
  for i, shard in ipairs(held) do
    if i <= share then
      reply[#reply + 1] = shard
    else
      redis.call('HDEL', leases, shard)
    end
  end
  for i = 1, math.min(share - #held, #free) do
    redis.call('HSET', leases, free[i], pod)
    reply[#reply + 1] = free[i]
  end
  return reply
end

-- A commit may free memory and always belongs to a call in progress: it goes on when Redis is full, where
-- the creation of a call is refused.
redis.register_function('b2bua_create_@DIGEST@', commit)
redis.register_function{function_name = 'b2bua_commit_@DIGEST@', callback = commit, flags = {'allow-oom'}}
redis.register_function{function_name = 'b2bua_claim_@DIGEST@', callback = claim, flags = {'allow-oom'}}
redis.register_function{function_name = 'b2bua_lease_@DIGEST@', callback = lease, flags = {'allow-oom'}}
redis.register_function{function_name = 'b2bua_load_@DIGEST@', callback = load, flags = {'no-writes'}}
