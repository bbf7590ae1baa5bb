"""A model of the store: the runs and steps that it must hold after a sequence of stored steps and removals."""


class EvictionModel:
    """The documented eviction rules, for runs whose steps are numbered 0, 1, 2, ... and posted in this order.

    A step makes its run the most recently updated one. Before a new run over the limit, the least recently updated run
    is evicted. A deleted or evicted run continues with its next step number. Over the limit of steps, the highest steps
    are kept.
    """

    def __init__(self, max_runs: int, max_steps: int):
        self.max_runs = max_runs
        self.max_steps = max_steps
        # The held runs in order of creation, each with its first and last step.
        self.held: dict[str, tuple[int, int]] = {}
        self._by_update: dict[str, None] = {}
        # The listing after each stored step and each removal; and the first step held of a run after each of its steps.
        self.listings: list[list[tuple[str, int, int]]] = []
        self.first_step: dict[tuple[str, int], int] = {}
        # The position of each step in the sequence, and the positions of each run's removals.
        self.place: dict[tuple[str, int], int] = {}
        self.removals: dict[str, list[int]] = {}
        self.deletions = 0
        self.evictions = 0

    def store(self, run: str, step: int):
        assert run in self.held or len(self.held) < self.max_runs, "another run is evicted before"
        first, _ = self.held.get(run, (step, step))
        first = max(first, step - self.max_steps + 1)
        self.held[run] = first, step
        self._by_update.pop(run, None)
        self._by_update[run] = None
        self.place[run, step] = len(self.listings)
        self.first_step[run, step] = first
        self.listings.append(self.listing())

    def remove(self, run: str, reason: str):
        if reason == "evicted":
            assert len(self.held) == self.max_runs and run == next(iter(self._by_update))
            self.evictions += 1
        else:
            assert reason == "deleted"
            self.deletions += 1
        del self._by_update[run], self.held[run]
        self.removals.setdefault(run, []).append(len(self.listings))
        self.listings.append(self.listing())

    def next_removal(self, run: str, after: int) -> int:
        """The position of the run's first removal after position `after`."""
        return next(place for place in self.removals[run] if place > after)

    def listing(self) -> list[tuple[str, int, int]]:
        """Run, number of steps and latest step, in order of creation."""
        return [(run, last - first + 1, last) for run, (first, last) in self.held.items()]

    def was_absent(self, run: str, since: int) -> bool:
        """Whether the run was absent at some time since the event at position `since`."""
        return any(all(held != run for held, _, _ in listing) for listing in self.listings[since:])


def listed(data: dict) -> list[tuple[str, int, int]]:
    """Converts the server's listing to the same form."""
    return [(run, entry["step_count"], entry["latest_step"]) for run, entry in data.items()]
