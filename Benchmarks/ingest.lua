-- For wrk: posts one payload with a step of its own each time. Arguments: the payload's file, the token, the run's id.
-- The payload has @STEP@ for the number of the step.

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local text = file:read("*a")
    file:close()
    local at = assert(text:find("@STEP@", 1, true))
    before, after = text:sub(1, at - 1), text:sub(at + 6)
    headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. args[2] }
    step = number * 100000000
end

function request()
    step = step + 1
    return wrk.format("POST", "/api/v1/metrics/layerwise", headers, before .. string.format("%d", step) .. after)
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        "RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout + errors.status,
        latency:percentile(50), latency:percentile(99)))
end
