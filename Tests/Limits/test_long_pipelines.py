"""A connection that pipelines without end, and never ends a read with a whole request."""

import pytest
from Support.wire.raw import RawConnection, request

# Requests for each write, and writes for each round: a round sends 30 times the permitted growth.
REQUESTS, WRITES = 40, 500


@pytest.mark.parametrize("tls", ["off", "dev"])
def test_bytes_of_answered_requests_are_not_kept_while_the_next_request_is_incomplete(start_server, tls):
    own = start_server("--tls", tls, "--log-level", "warning", counted=True)
    one = request("/health")
    # Each write completes a request that the write before began, and begins another one.
    written = one[10:] + one * (REQUESTS - 1) + one[:10]
    sent = len(written) * WRITES
    with RawConnection(own) as connection:
        connection.send(one[:10])

        def pipeline(writes: int):
            for _ in range(writes):
                connection.send(written)
                for _ in range(REQUESTS):
                    assert connection.read_response().status == 200

        pipeline(20)
        before = own.allocations.bytes
        pipeline(WRITES)
        assert own.allocations.bytes - before < sent / 30
