"""The client's intervals and limits of delivery, in one place so that tests can shorten them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Timing:
    """Durations in seconds, sizes in bytes."""

    #: How often the sender looks for new records, and the least time between two bodies while training runs.
    poll: float = 0.2
    #: The share of one processor that the sender uses at most while training runs: both hold the interpreter's lock. A
    #: full body takes 10 to 30 ms to read, join, encode and compress, so that catching up sends one or two a second.
    share: float = 0.02
    #: A step is sent when no record came for this long, even if no record of a higher step came.
    idle_flush: float = 5.0
    #: An empty PUT keeps the run from looking silent after this long without other traffic.
    heartbeat: float = 10.0
    #: Retries wait a random time between 0 and `retry_base * 2^n`, at most `retry_cap` ("full jitter").
    retry_base: float = 0.5
    retry_cap: float = 30.0
    #: After a permanent refusal (401, 403, 404, an untrusted certificate) the sender tries again this often, silently.
    refused_retry: float = 60.0
    #: The longest `Retry-After` that is honoured.
    retry_after_cap: float = 300.0
    #: Time for connecting, for one read and for one write of a request.
    request_timeout: float = 30.0
    #: nginx refuses bodies above 1 MB by default; this is before gzip.
    batch_bytes: int = 500_000
    batch_steps: int = 1_000


TIMING = Timing()
