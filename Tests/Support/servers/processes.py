"""Starts processes that end with the test process, also if a signal such as SIGKILL ends it."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

# One thread starts all processes. It lives as long as this process; a thread of a test may end before its server.
_starter = ThreadPoolExecutor(1, thread_name_prefix="process-starter")


def start(command, end_by: str = "KILL", **options) -> subprocess.Popen:
    """Starts a program; the options are those of `subprocess.Popen`.

    The kernel sends the program the signal `end_by` when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG).
    setpriv sets that signal and executes the program, which therefore has the returned process id.
    """
    words = ["setpriv", "--pdeathsig", end_by, "--", *map(str, command)]
    return _starter.submit(subprocess.Popen, words, **options).result()


def run(command, *, timeout: float | None = None, check: bool = False, capture_output: bool = False,
        **options) -> subprocess.CompletedProcess:
    """Runs a program to its end, as `subprocess.run` does."""
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(command, **options) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    ended = subprocess.CompletedProcess(command, process.returncode, output, errors)
    if check:
        ended.check_returncode()
    return ended
