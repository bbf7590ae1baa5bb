"""The command `nnmonitor`."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from pathlib import Path
from typing import Optional

from . import init
from ._version import __version__
from .commands.check import check
from .commands.health import UNKNOWN, health
from .commands.reading import ReadFailed
from .commands.simulate import simulate
from .commands.sync import sync
from .commands.tail import tail
from .delivery.transport import Transport
from .errors import NNMonitorError
from .settings import Settings, settings_from
from .spooling.spool import default_root


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nnmonitor", description="The client of NNMonitor.")
    parser.add_argument("--version", action="version", version=f"nnmonitor {__version__}")
    trust = argparse.ArgumentParser(add_help=False)
    trust.add_argument("--url", help="the server's address (NN_MONITOR_URL; default http://localhost:8000)")
    trust.add_argument("--token-file", help="a file with the token, mode 0600 (NN_MONITOR_TOKEN_FILE)")
    trust.add_argument("--ca", help="a PEM file of the authority to trust (NN_MONITOR_CA)")
    trust.add_argument("--fingerprint", help="SHA-256 of the server's certificate (NN_MONITOR_FINGERPRINT)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", parents=[trust], help="test address, certificate, token, clock and round trip")
    one = commands.add_parser("sync", parents=[trust], help="send the records that ended or offline processes left")
    one.add_argument("dir", nargs="?", help="a spool or a directory of spools (default: that of new runs)")
    one.add_argument("--timeout", type=float, default=60.0, help="seconds without progress after which it gives up")
    one.add_argument("--keep-state", action="store_true", help="do not mark the runs of dead processes as failed")
    read = commands.add_parser("tail", parents=[trust], help="print one line for each step of a run as it comes")
    read.add_argument("run", nargs="?", metavar="RUN", help="the run id (default: the run that was updated last)")
    read.add_argument(
        "--last", type=_not_negative, default=10, metavar="N",
        help="begin with the last N steps that have come already (default 10)")
    read.add_argument("--scalars", default="", metavar="NAMES", help="print only these scalars, separated by commas")
    read.add_argument("--json", action="store_true", help="print the server's messages, one a line")
    judged = commands.add_parser(
        "health", parents=[trust], help="print the findings about a run; exit code 0 ok, 1 warning, 2 critical")
    judged.add_argument("run", nargs="?", metavar="RUN", help="the run id (default: the run that was updated last)")
    judged.add_argument("--closed", action="store_true", help="also the findings that are over")
    judged.add_argument("--json", action="store_true", help="print the server's answer")
    two = commands.add_parser("simulate", parents=[trust], help="post simulated statistics, for a first look")
    two.add_argument("--id", help="the run id")
    two.add_argument("--steps", type=_positive, default=500)
    two.add_argument("--interval", type=float, default=0.2, help="seconds between two steps")
    two.add_argument("--layers", type=_positive, default=20)
    two.add_argument("--seed", type=int, default=None)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _not_negative(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def _write_note(text: str) -> None:
    print(f"nnmonitor: {text}", file=sys.stderr, flush=True)


def _write_line(text: str) -> None:
    print(text, flush=True)


def main(arguments: Optional[list[str]] = None) -> int:
    """Runs one command. Returns 0 where all went well, 1 where not, 64 for settings that are not usable; the codes of
    `health` are in `commands.health`."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except NNMonitorError as error:
        _write_note(str(error))
        return 64
    except ReadFailed as error:
        _write_note(str(error))
        return UNKNOWN if options.command == "health" else 1
    except BrokenPipeError:
        # The reader of a pipe has ended, such as `head`. Python would report the lines that it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.command == "simulate":
        with init(
            "simulated", options.id or "simulated", id=options.id, url=options.url, token_file=options.token_file,
            ca=options.ca, fingerprint=options.fingerprint, config={"layers": options.layers, "seed": options.seed},
        ) as run:
            simulate(run, options.steps, options.interval, options.layers, options.seed)
        return 0
    settings = settings_from(options.url, None, options.token_file, options.ca, options.fingerprint)
    if options.command == "check":
        return 0 if check(settings, _write_line) else 1
    if options.command in ("tail", "health"):
        return _read(options, settings)
    root = Path(options.dir) if options.dir else default_root()

    @functools.cache
    def transport_for(url: str) -> Transport:
        chosen = settings.url if options.url else url
        return Transport(chosen, settings.token, settings.ca, settings.fingerprint)

    return 0 if sync(root, transport_for, options.timeout, _write_line, options.keep_state) else 1


def _read(options: argparse.Namespace, settings: Settings) -> int:
    def connect() -> Transport:
        return Transport(settings.url, settings.token, settings.ca, settings.fingerprint)

    if options.command == "health":
        return health(connect(), options.run, options.json, options.closed, _write_line)
    names = [name for name in options.scalars.split(",") if name]
    return tail(connect(), connect(), options.run, options.last, names, options.json, _write_line, _write_note)


if __name__ == "__main__":
    sys.exit(main())
