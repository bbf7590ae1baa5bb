"""The report of a soak: as text for a person and for docs/RELIABILITY.md."""

from dataclasses import dataclass


@dataclass
class Sample:
    """How the server was at one moment."""

    label: str
    memory: int
    descriptors: int
    processor_time: float


def is_flat(samples: list[Sample], allowance: int) -> bool:
    """Whether memory after the first sample stays within an allowance of it."""
    return all(sample.memory <= samples[0].memory + allowance for sample in samples[1:])


def text(minutes: float, samples: list[Sample], ledger, health: float, allowance: int, stopped: int) -> str:
    """`samples`: before the load, at its start, its quarters and its end, and idle again."""
    load = samples[1:]
    lines = [f"Soak of {minutes:g} minutes", ""]
    lines += [f"| {'moment':<12} | memory, MB | descriptors | CPU, s |", "|---|---|---|---|"]
    lines += [f"| {sample.label:<12} | {sample.memory / 1e6:.1f} | {sample.descriptors} | {sample.processor_time:.0f} |"
              for sample in samples]
    lines += ["", "| what | how many |", "|---|---|"]
    lines += [f"| {name} | {count} |" for name, count in sorted(ledger.counts.items())]
    lines += [f"| runs | {len(ledger.accepted)} |", f"| errors | {ledger.error_count} |", ""]
    lines.append(f"Of the trainers' requests {ledger.malformed_share():.1%} were malformed.")
    flat = "flat" if is_flat(load, allowance) else "NOT FLAT"
    lines.append(f"Memory is {flat} (within {allowance / 1e6:g} MB of the sample at the start, after the warm-up).")
    lines.append(f"/health answered in {health * 1000:.1f} ms (median) at the end; the server stopped with {stopped}.")
    lines += [f"ERROR {error}" for error in ledger.errors]
    return "\n".join(lines) + "\n"
