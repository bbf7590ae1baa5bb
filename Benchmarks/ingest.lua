-- For wrk: posts steps. Arguments: a file, the token, the path, the content type, the content coding ("gzip" or nothing).
-- The file has several bodies, each after a line with its size; they are posted by turns. In plain ones @STEP@ stands for a
-- number that is another one in each request, so that every request has other steps; packed ones are sent as they are.

local threads = 0
local mark = "@STEP@"

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

-- The parts of a text between the marks.
local function parts(text)
    local found, from = {}, 1
    while true do
        local first, last = text:find(mark, from, true)
        found[#found + 1] = text:sub(from, (first or 0) - 1)
        if not first then return found end
        from = last + 1
    end
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local headers = { ["Content-Type"] = args[4], ["Authorization"] = "Bearer " .. args[2] }
    headers["Content-Encoding"] = args[5]
    -- Nine digits for every number, so that what is around it is made once: wrk shares the processors with the server.
    step = (number + 1) * 100000000
    bodies = {}
    for size in file:lines() do
        local body = file:read(tonumber(size))
        local numbered = body:gsub(mark, tostring(step))
        local whole = wrk.format("POST", args[3], headers, numbered)
        bodies[#bodies + 1] = parts(whole:sub(1, #whole - #numbered) .. body)
    end
    file:close()
end

function request()
    step = step + 1
    local body = bodies[step % #bodies + 1]
    if #body == 1 then return body[1] end
    return table.concat(body, tostring(step))
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        "RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout + errors.status,
        latency:percentile(50), latency:percentile(99)))
end
