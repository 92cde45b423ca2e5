-- What wrk sends, and how it tells what came back: POST of one file as JSON, where it says 0000000 numbered from one
-- request to the next, so that none is like another; a line of JSON at the end.
-- usage: wrk ... -s load.lua URL -- BODY_FILE

function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  local body = file:read("*a")
  local at, to = body:find("0000000", 1, true)
  before, behind = body:sub(1, at and at - 1), at and body:sub(to + 1)
  wrk.body = body
  wrk.headers["Content-Type"] = "application/json"
  file:close()
end

local sent = 0

function request()
  if not behind then
    return wrk.format()
  end
  sent = sent + 1
  return wrk.format(nil, nil, nil, before .. string.format("%07d", sent) .. behind)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"broken":%d,"refused":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
