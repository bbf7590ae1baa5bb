"""The life of the process: its end by exit, exception, Ctrl-C or SIGTERM, and its forks.

Hooks are chained: those that were installed before still run. They exist only while a run is active.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import CodeType, FrameType, TracebackType
from typing import Any, Optional, Protocol


class Ending(Protocol):
    """What the end of the process needs to know of a run."""

    def end(self, exit_code: int, reason: Optional[str]) -> None:
        """Finishes the run within its deadline. Never raises."""

    def abandon(self) -> None:
        """In a forked child: closes the copies of descriptors, and does nothing ever after."""


_active: list[Ending] = []
_code = 0
_reason: Optional[str] = None
_previous_excepthook: Any = None
_previous_exit: Any = None
_at_exit_registered = False
_verb_code: Optional[CodeType] = None
#: The signal that came inside a verb.
_signal_waiting = 0


def begin(run: Ending) -> None:
    """Watches over this run until `done`."""
    global _at_exit_registered
    _active.append(run)
    if len(_active) == 1:
        _install()
    if not _at_exit_registered:
        atexit.register(_at_exit)
        _at_exit_registered = True


def done(run: Ending) -> None:
    """The run has finished by itself."""
    if run in _active:
        _active.remove(run)
    if not _active:
        _uninstall()


def verb_code(code: CodeType) -> None:
    """Names the function that every verb runs in.

    A handler runs on the main thread, between two of its instructions. Inside a verb it would wait for the sender while
    the interrupted verb holds a lock that the sender needs; so it is put off until the verb has ended.
    """
    global _verb_code
    _verb_code = code


def verb_ended() -> None:
    """Called as the last thing in the function that `verb_code` named."""
    global _signal_waiting
    if _signal_waiting and threading.current_thread() is threading.main_thread():
        number, _signal_waiting = _signal_waiting, 0
        _terminated(number, sys._getframe(1).f_back)


def still_alive() -> None:
    """Training continues: an exit that had begun did not happen, such as a caught SystemExit."""
    global _code, _reason
    if _code:
        _code, _reason = 0, None


def _install() -> None:
    global _previous_excepthook, _previous_exit
    still_alive()
    _previous_excepthook, sys.excepthook = sys.excepthook, _excepthook
    _previous_exit, sys.exit = sys.exit, _exit
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _uninstall() -> None:
    # A hook that was chained over ours stays, and ours below it only calls on.
    if sys.excepthook is _excepthook:
        sys.excepthook = _previous_excepthook
    if sys.exit is _exit:
        sys.exit = _previous_exit
    try:
        if signal.getsignal(signal.SIGTERM) is _terminated:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
    except ValueError:
        pass  # Not the main thread: the handler ends the process by itself.


def _excepthook(kind: type[BaseException], error: BaseException, trace: Optional[TracebackType]) -> None:
    global _code, _reason
    _code = 130 if issubclass(kind, KeyboardInterrupt) else 1
    text = str(error).strip().splitlines()
    _reason = f"{kind.__name__}: {text[0]}"[:500] if text else kind.__name__
    (_previous_excepthook or sys.__excepthook__)(kind, error, trace)


def _exit(status: Any = None) -> Any:
    global _code, _reason
    if status is None or status == 0:
        _code, _reason = 0, None
    elif isinstance(status, int):
        _code, _reason = status, f"exit code {status}"
    else:
        _code, _reason = 1, str(status)[:500]
    (_previous_exit or _raise_exit)(status)


def _raise_exit(status: Any) -> None:
    raise SystemExit(status)


def _at_exit() -> None:
    for run in list(_active):
        try:
            run.end(_code, _reason)
        except KeyboardInterrupt:
            return  # A second Ctrl-C: nothing waits any longer; the spool has it all.


def _terminated(number: int, frame: Optional[FrameType]) -> None:
    """Handles SIGTERM if its default action would kill: sends the state, then lets the signal end the process."""
    global _signal_waiting
    while frame is not None:
        if frame.f_code is _verb_code:
            _signal_waiting = number
            return
        frame = frame.f_back
    for run in list(_active):
        run.end(128 + number, signal.Signals(number).name)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _in_child() -> None:
    global _signal_waiting
    _signal_waiting = 0
    for run in list(_active):
        run.abandon()
    _active.clear()
    _uninstall()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
