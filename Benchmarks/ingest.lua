-- For wrk: posts one payload with a step of its own each time. Arguments: a file, the token.
-- The file has @STEP@ for the number of the step; or, with "gzip" as third argument, it has payloads of several steps
-- that are gzip already, each after a line with its size.

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. args[2] }
    step = 0
    if args[3] == "gzip" then
        headers["Content-Encoding"] = "gzip"
        packed = {}
        for size in file:lines() do
            packed[#packed + 1] = wrk.format("POST", "/api/v1/metrics/layerwise", headers, file:read(tonumber(size)))
        end
    else
        -- Nine digits for every step, so that what is around it is made once: wrk shares the processors with the server.
        step = (number + 1) * 100000000
        local whole = wrk.format(
            "POST", "/api/v1/metrics/layerwise", headers, (file:read("*a"):gsub("@STEP@", tostring(step), 1)))
        local at = assert(whole:find(tostring(step), 1, true))
        before, after = whole:sub(1, at - 1), whole:sub(at + 9)
    end
    file:close()
end

function request()
    step = step + 1
    if packed then return packed[step % #packed + 1] end
    return before .. tostring(step) .. after
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        "RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout + errors.status,
        latency:percentile(50), latency:percentile(99)))
end
