"""The report of a soak: as text for a person and for docs/RELIABILITY.md."""

from dataclasses import dataclass


@dataclass
class Sample:
    """How the server was at one moment."""

    label: str
    allocated: int
    resident: int
    descriptors: int
    processor_time: float


# The part by which the mean of the allocated bytes in the last quarter may be over that in the first. The server holds
# 3 MB of steps and 2 MB besides, so that is 500 kB: of two minutes with 30 000 steps 17 bytes a step, of half an hour
# 1.
GROWTH = 0.1


def is_flat(quarters: list[float]) -> bool:
    """Whether the server has no more allocated in the last quarter than in the first, but for `GROWTH`."""
    return quarters[-1] <= quarters[0] * (1 + GROWTH)


def text(minutes: float, samples: list[Sample], quarters: list[float], results, health: float, stopped: int) -> str:
    """`samples`: before the load, at its start, its quarters and its end, and idle again. `quarters`: the mean of the
    bytes allocated in each quarter."""
    lines = [f"Soak of {minutes:g} minutes", ""]
    lines += [f"| {'moment':<12} | allocated, MB | resident, MB | descriptors | CPU, s |", "|---|---|---|---|---|"]
    lines += [f"| {sample.label:<12} | {sample.allocated / 1e6:.1f} | {sample.resident / 1e6:.1f} | {sample.descriptors} | "
              f"{sample.processor_time:.0f} |" for sample in samples]
    lines += ["", "| what | how many |", "|---|---|"]
    lines += [f"| {name} | {count} |" for name, count in sorted(results.counts.items())]
    lines += [f"| runs | {len(results.accepted)} |", f"| errors | {results.error_count} |", ""]
    lines.append(f"Of the trainers' requests {results.malformed_share():.1%} were malformed.")
    flat = "flat" if is_flat(quarters) else "NOT FLAT"
    means = ", ".join(f"{allocated / 1e6:.2f}" for allocated in quarters)
    lines.append(f"Memory is {flat}: the means of the MB allocated in each quarter are {means}.")
    lines.append(f"/health answered in {health * 1000:.1f} ms (median) at the end; the server stopped with {stopped}.")
    lines += [f"ERROR {error}" for error in results.errors]
    return "\n".join(lines) + "\n"
