"""What a server must hold, by the order in which it stored steps and removed runs."""


class EvictionModel:
    """The documented rules for runs whose steps are numbered 0, 1, 2, ... and posted in this order.

    A step makes its run the one updated last. Before a new run over the limit, the run updated longest ago is evicted. A
    run that was deleted or evicted may begin again with the step that it has come to. Over the limit of steps the highest
    stay.
    """

    def __init__(self, max_runs: int, max_steps: int):
        self.max_runs = max_runs
        self.max_steps = max_steps
        # The runs held, in the order of their creation, each with its first and its last step.
        self.held: dict[str, tuple[int, int]] = {}
        self._by_update: dict[str, None] = {}
        # After each stored step and each removal: the listing; and what is held of a run after a step of it.
        self.listings: list[list[tuple[str, int, int]]] = []
        self.first_step: dict[tuple[str, int], int] = {}
        # The place of each step in the order, and those of each run's removals.
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
        """The place of the run's first removal behind that place."""
        return next(place for place in self.removals[run] if place > after)

    def listing(self) -> list[tuple[str, int, int]]:
        """Run, number of steps and latest step, in order of creation."""
        return [(run, last - first + 1, last) for run, (first, last) in self.held.items()]

    def was_absent(self, run: str, since: int) -> bool:
        """Whether the run was not held at some time after the step or removal with this place."""
        return any(all(held != run for held, _, _ in listing) for listing in self.listings[since:])


def listed(data: dict) -> list[tuple[str, int, int]]:
    """The same of a listing as the server gives it."""
    return [(run, entry["step_count"], entry["latest_step"]) for run, entry in data.items()]
