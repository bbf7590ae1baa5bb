"""Opens runs in Chromium, and measures what the page needs for it; script/bench page runs it.

With --peers, TensorBoard and Trackio open the same runs, in turn with NNMonitor. They are left out where a run has
more than --most-numbers numbers, because writing their files would take longer than all the rest.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests"), str(ROOT / "Tests/Browser"), str(Path(__file__).parent)]

from big_runs import METRICS, PICTURE, BigRun, open_and_measure, time_of_first_picture  # noqa: E402
from peers import PEERS  # noqa: E402
from playwright.sync_api import Error, TimeoutError, sync_playwright  # noqa: E402
from Support.servers.server import Server  # noqa: E402

SIZES = ("1000x50", "1000x1000", "10000x200", "1000000x20")
LIMITS = ["--max-steps-per-run", "1000000", "--max-memory", str(4 << 30), "--max-request-size", "10000000"]
HEAD = ("| steps x layers | page | first picture | bytes until then | bytes at rest | longest task | heap |",
        "|---|---|---|---|---|---|---|")


class Ours:
    name = "NNMonitor"
    picture = PICTURE

    def __init__(self, server):
        self.server = server

    def write(self, run, folder):
        run.post(self.server.url)

    @contextlib.contextmanager
    def serve(self, run, folder):
        yield f"{self.server.url}/#run={run.name}"


def row(size, name, rounds):
    steps, layers = map(int, size.split("x"))
    failures = [figures for figures in rounds if isinstance(figures, str)]
    if failures:
        return f"| {steps:,} x {layers:,} | {name} | {failures[0]}, {len(failures)} of {len(rounds)} times | | | | |"
    median = {key: statistics.median(figures[key] for figures in rounds)
              for key in ("first", "bytes_until", "bytes", "longest", "heap")}
    return (f"| {steps:,} x {layers:,} | {name} | {median['first']:,.0f} ms | {median['bytes_until'] / 1e6:.2f} MB "
            f"| {median['bytes'] / 1e6:.2f} MB | {median['longest']:.0f} ms | {median['heap'] / 1e6:.1f} MB |")


class Browser:
    """Chromium, which is started again after a page that could not be opened."""

    def __init__(self, playwright):
        self.playwright = playwright
        self.running = None

    def opened(self, url, page, picture, deadline):
        """The figures of `open_and_measure` and the time of the first picture, or why the run did not open."""
        if self.running is None:
            self.running = self.playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            first = time_of_first_picture(self.running, url, page.picture, deadline)
            return {**open_and_measure(self.running, url, page.picture, picture, deadline), "first": first}
        except TimeoutError:
            reason = f"no picture within {deadline:.0f} s"
        except Error as error:
            if "crashed" not in error.message:
                raise
            reason = "the tab crashed"
        self.close()
        return reason

    def close(self):
        if self.running is not None:
            self.running.close()
        self.running = None


def measure(browser, size, pages, options, folder):
    """The rows of one size: all pages are open to their servers at once, and opened in turn."""
    steps, layers = map(int, size.split("x"))
    run = BigRun(f"run-{size}", steps, layers)
    with contextlib.ExitStack() as stack:
        urls = []
        for page in pages:
            own = folder / f"{page.name}-{size}"
            own.mkdir()
            page.write(run, own)
            urls.append(stack.enter_context(page.serve(run, own)))
        rounds = [[] for _ in pages]
        for number in range(options.rounds):
            for index, page in enumerate(pages):
                picture = None
                if options.pictures and number == 0:
                    picture = f"{options.pictures}/{page.name}-{size}.png"
                rounds[index].append(browser.opened(urls[index], page, picture, options.deadline))
    for page, figures in zip(pages, rounds):
        print(row(size, page.name, figures), flush=True)


def main():
    parser = argparse.ArgumentParser(prog="script/bench page", description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", metavar="STEPSxLAYERS", default=SIZES, help=f"default: {' '.join(SIZES)}")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many; default 3")
    parser.add_argument("--peers", action="store_true", help="TensorBoard and Trackio beside it")
    parser.add_argument("--most-numbers", type=float, default=12e6, help="for the peers; default 12 million")
    parser.add_argument("--deadline", type=float, default=120, metavar="SECONDS", help="for a first picture; default 120")
    parser.add_argument("--pictures", metavar="DIR", help="keep a screenshot of each")
    options = parser.parse_args()
    print(*HEAD, sep="\n")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = Browser(playwright)
        with Server(LIMITS, None, Path(folder)) as server:
            for size in options.sizes:
                steps, layers = map(int, size.split("x"))
                numbers = steps * layers * len(METRICS)
                pages = [Ours(server)]
                if options.peers and numbers <= options.most_numbers:
                    pages += PEERS
                measure(browser, size, pages, options, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
