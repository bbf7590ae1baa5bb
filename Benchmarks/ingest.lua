-- For wrk: posts steps. Arguments: a file, the token, how the bodies are packed ("gzip" or nothing).
-- The file has several bodies, each after a line with its size; they are posted by turns. Plain ones have @STEP@ for the
-- number of the step, so that every request is another step; packed ones have the steps that they have.

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. args[2] }
    headers["Content-Encoding"] = args[3]
    -- Nine digits for every step, so that what is around it is made once: wrk shares the processors with the server.
    step = (number + 1) * 100000000
    before, after = {}, {}
    for size in file:lines() do
        local body = file:read(tonumber(size))
        local whole = wrk.format("POST", "/api/v1/metrics/layerwise", headers, (body:gsub("@STEP@", tostring(step), 1)))
        local at = whole:find(tostring(step), 1, true)
        before[#before + 1] = at and whole:sub(1, at - 1) or whole
        after[#after + 1] = at and whole:sub(at + 9)
    end
    file:close()
end

function request()
    step = step + 1
    local place = step % #before + 1
    if not after[place] then return before[place] end
    return before[place] .. tostring(step) .. after[place]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        "RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout + errors.status,
        latency:percentile(50), latency:percentile(99)))
end
