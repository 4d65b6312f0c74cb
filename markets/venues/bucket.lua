-- A shared token bucket on the server's clock; every operation of limits.py in one script.
-- ARGV: operation, published rate, published capacity, cost or new rate, pause or new capacity,
--       growth share, growth seconds, lowest share, seconds between cuts, the bucket's name.
-- KEYS: the bucket, the set of names.
local op, rate0, cap0 = ARGV[1], ARGV[2], ARGV[3]
local a, b = tonumber(ARGV[4]), tonumber(ARGV[5])
local growth, every = tonumber(ARGV[6]), tonumber(ARGV[7])
local lowest, between = tonumber(ARGV[8]), tonumber(ARGV[9])
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local f = redis.call('HMGET', KEYS[1], 'published', 'ceiling', 'capacity', 'rate', 'tokens',
                     'at', 'grown', 'cut', 'paused')
local published = rate0 .. '/' .. cap0
if op == 'peek' and not f[1] then return false end
if op ~= 'peek' and f[1] ~= published then
  f = {published, rate0, cap0, rate0, cap0, now, now, 0, f[9] or 0}
end
local ceiling, capacity, rate = tonumber(f[2]), tonumber(f[3]), tonumber(f[4])
local tokens, at, grown = tonumber(f[5]), tonumber(f[6]), tonumber(f[7])
local cut, paused = tonumber(f[8]), tonumber(f[9])

if now > at then tokens = math.min(capacity, tokens + rate * (now - at)) end
local steps = math.floor((now - grown) / every)
if steps > 0 then
  rate = math.min(ceiling, rate + ceiling * growth * steps)
  grown = grown + steps * every
end

local wait = 0
if op == 'take' then
  local cost = math.min(a, capacity)
  if paused > now then wait = paused - now
  elseif tokens >= cost then tokens = tokens - cost
  else wait = (cost - tokens) / rate end
elseif op == 'cut' then
  if now - cut >= between then
    rate = math.max(rate / 2, ceiling * lowest)
    cut, grown = now, now
  end
  tokens = math.min(tokens, 0)
  paused = math.max(paused, now + b)
elseif op == 'declare' then
  if rate >= ceiling or rate > a then rate = a end
  ceiling, capacity = a, b
  tokens = math.min(tokens, capacity)
end

if op ~= 'peek' then
  redis.call('HSET', KEYS[1], 'published', f[1], 'ceiling', ceiling, 'capacity', capacity,
    'rate', tostring(rate), 'tokens', tostring(tokens), 'at', string.format('%.6f', now),
    'grown', string.format('%.6f', grown), 'cut', string.format('%.6f', cut),
    'paused', string.format('%.6f', paused))
  redis.call('EXPIRE', KEYS[1], 86400)
  redis.call('SADD', KEYS[2], ARGV[10])
end
return {tostring(wait), tostring(rate), tostring(ceiling), tostring(tokens),
        string.format('%.6f', paused)}
