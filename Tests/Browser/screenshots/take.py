"""Pictures of the dashboard's first screen with recorded networks; script/screenshots runs it.

Each run has a server and a page of its own, and a name that does not give away what is wrong with it.
"""

import argparse
import gzip
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "Tests"), str(ROOT / "Tests/Browser")]

from dashboard import Trainer  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402
from Support.servers.server import Server  # noqa: E402

FIXTURES = ROOT / "Tests/Fixtures/health"
LOOKS = {"light": ("light", 1440, 900), "dark": ("dark", 1440, 900),
         "light-phone": ("light", 390, 844), "dark-phone": ("dark", 390, 844)}
#: Steps in one request.
BATCH = 20


@dataclass(frozen=True)
class Picture:
    """A recorded network, the name under which its picture is taken, and how its run ends."""

    name: str
    network: str
    ending: dict | None = None


PICTURES = (
    Picture("run-a", "deep_loss_spike-1"),
    Picture("run-b", "deep_nan-1"),
    Picture("run-c", "deep_healthy-1"),
    Picture("run-d", "router_collapse-1"),
    Picture("run-e", "transformer-1", {"state": "finished", "exit_code": 0}),
    Picture("run-f", "deep_dead_layer-1"),
    Picture("run-g", "vanishing-1"),
    Picture("run-h", "deep_exploding-1"),
)
README = Picture("residual-50", "deep_dead_layer-1")


def post(server, picture, recorded):
    """Posts the recorded steps, and the end of the run."""
    place = next(folder / f"{picture.network}.ndjson.gz" for folder in (recorded, FIXTURES)
                 if (folder / f"{picture.network}.ndjson.gz").exists())
    steps = [json.loads(line) for line in gzip.decompress(place.read_bytes()).splitlines()]
    trainer = Trainer(server)
    for start in range(0, len(steps), BATCH):
        trainer.post_steps(picture.name, steps[start:start + BATCH])
    if picture.ending is not None:
        trainer.describe(picture.name, picture.ending)
    return steps[-1]["step"]


def take(browser, server, picture, last, look, target):
    scheme, width, height = LOOKS[look]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                  reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{server.url}/#run={picture.name}")
    expect(page.locator("#fact-step")).to_have_attribute("data-value", str(last), timeout=60_000)
    expect(page.locator("#heatmap-readout")).to_contain_text("columns", timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target)
    context.close()


def main():
    parser = argparse.ArgumentParser(prog="script/screenshots", description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="where the pictures go")
    parser.add_argument("--recorded", required=True, type=Path, help="folder of recorded networks")
    parser.add_argument("--readme", metavar="FILE", help="only the picture of the README, into this file")
    options = parser.parse_args()
    pictures = PICTURES if options.readme is None else (README,)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for picture in pictures:
            with tempfile.TemporaryDirectory() as folder, Server([], None, Path(folder)) as server:
                last = post(server, picture, options.recorded)
                looks = LOOKS if options.readme is None else ("light",)
                for look in looks:
                    target = options.readme or str(Path(options.folder) / f"{picture.name}-{look}.png")
                    take(browser, server, picture, last, look, target)
        browser.close()


if __name__ == "__main__":
    main()
