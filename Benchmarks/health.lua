-- For wrk: requests the same page repeatedly, and prints the figures that bench reads.

function done(summary)
    local errors = summary.errors
    io.write(string.format(
        "RESULT %d %d %d\n", summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
