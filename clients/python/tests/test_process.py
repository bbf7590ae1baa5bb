"""The end of a process: kill -9, SIGTERM, Ctrl-C, exceptions, forks, a full disk. Each program is a real process.

This file is long because it has one test for each way in which a process ends.
"""

import os
import signal

import pytest

from nnmonitor.cli import main
from nnmonitor.spooling import spool

LOOP = """
run = nnm.init(url={url!r}, id="r")
for step in range(1_000_000):
    nnm.log({{"loss": 1 / (step + 1)}}, step=step)
    say(step)
"""


@pytest.fixture
def front(secure, made, monkeypatch):
    """All of this over TLS; programs and `sync` find the authority in the environment."""
    monkeypatch.setenv("NN_MONITOR_CA", str(made["authority"].certificate))
    return secure()


def spools(tmp_path):
    return spool.find(tmp_path / "spools")


@pytest.mark.parametrize("server_is", ["up", "down"])
@pytest.mark.parametrize("steps", range(10))
def test_kill_right_after_log_loses_no_step(front, trainer, tmp_path, steps, server_is):
    """Twenty times in all: sync delivers every step whose log had returned."""
    if server_is == "down":
        front.down()
    program = trainer(LOOP.format(url=front.url))
    for _ in range(1 + steps * 7):
        last = int(program.line())
    program.kill(signal.SIGKILL)
    program.process.wait(60)
    rest = program.process.stdout.read().split()
    last = max([last, *map(int, rest)])
    front.up() if server_is == "down" else None
    assert main(["sync", str(tmp_path / "spools")]) == 0
    arrived = sorted(front.steps("r"))
    assert arrived[: last + 1] == list(range(last + 1))
    assert spools(tmp_path) == []
    kept = front.run("r")
    assert (kept["state"], kept["reason"]) == ("failed", "the process ended without finish()")


def test_os_exit_right_after_log_loses_no_step(front, trainer, tmp_path):
    front.down()
    program = trainer(f"""
        nnm.init(url={front.url!r}, id="r")
        nnm.log({{"loss": 1.0}}, step=0)
        os._exit(0)
    """)
    assert program.wait() == 0
    front.up()
    assert main(["sync", "--keep-state", str(tmp_path / "spools")]) == 0
    assert sorted(front.steps("r")) == [0]
    assert front.run("r")["state"] == "running"


def test_server_that_is_down_for_the_whole_run_gets_it_from_sync(front, trainer, tmp_path):
    front.down()
    program = trainer(f"""
        nnm.init(url={front.url!r}, id="r", project="p", exit_timeout=0.1)
        for step in range(1_000):
            nnm.log({{"loss": 1.0}}, step=step)
        sys.exit(4)
    """)
    assert program.wait() == 4
    assert f"nnmonitor sync {tmp_path / 'spools'}" in program.errors
    front.up()
    assert main(["sync", str(tmp_path / "spools")]) == 0
    assert sorted(front.steps("r")) == list(range(1_000))
    kept = front.run("r")
    assert (kept["project"], kept["state"], kept["exit_code"]) == ("p", "failed", 4)


def test_program_that_ends_without_finish_delivers_all_and_is_finished(front, trainer):
    program = trainer(f"""
        nnm.init(url={front.url!r}, id="r")
        for step in range(100):
            nnm.log({{"loss": 1.0}}, step=step)
    """)
    assert program.wait() == 0
    assert sorted(front.steps("r")) == list(range(100))
    assert (front.run("r")["state"], front.run("r")["exit_code"]) == ("finished", 0)


ENDINGS = [
    ("raise ValueError('no such batch')", 1, 1, "ValueError: no such batch"),
    ("sys.exit(3)", 3, 3, "exit code 3"),
    ("sys.exit('bad luck')", 1, 1, "bad luck"),
    ("raise KeyboardInterrupt", None, 130, "KeyboardInterrupt"),
]


@pytest.mark.parametrize(("ending", "status", "code", "reason"), ENDINGS, ids=[row[0] for row in ENDINGS])
def test_failure_is_reported_with_its_exit_code(front, trainer, ending, status, code, reason):
    program = trainer(f"""
        sys.excepthook = lambda *error: say("own hook")
        nnm.init(url={front.url!r}, id="r")
        nnm.log({{"loss": 1.0}}, step=0)
        {ending}
    """)
    ended = program.wait()
    assert status is None or ended == status
    assert ("own hook" in program.output) == ending.startswith("raise")
    kept = front.run("r")
    assert (kept["state"], kept["exit_code"], kept["reason"]) == ("failed", code, reason)
    assert sorted(front.steps("r")) == [0]


def test_exit_that_was_caught_is_no_failure(front, trainer):
    program = trainer(f"""
        nnm.init(url={front.url!r}, id="r")
        try:
            sys.exit(2)
        except SystemExit:
            pass
        nnm.log({{"loss": 1.0}}, step=0)
    """)
    assert program.wait() == 0
    assert front.run("r")["state"] == "finished"


def test_context_manager_reports_failure(front, trainer):
    program = trainer(f"""
        try:
            with nnm.init(url={front.url!r}, id="r") as run:
                run.log({{"loss": 1.0}}, step=0)
                raise OSError("disk")
        except OSError:
            say("raised")
    """)
    assert program.wait() == 0
    assert program.output == "raised\n"
    assert (front.run("r")["state"], front.run("r")["reason"]) == ("failed", "OSError: disk")


def test_ctrl_c_delivers_all_and_ends(front, trainer):
    program = trainer(LOOP.format(url=front.url))
    for _ in range(30):
        last = int(program.line())
    program.kill(signal.SIGINT)
    program.wait()
    logged = [int(text) for text in program.output.split()]
    assert sorted(front.steps("r"))[: max([last, *logged]) + 1] == list(range(max([last, *logged]) + 1))
    assert (front.run("r")["state"], front.run("r")["exit_code"]) == ("failed", 130)


def test_sigterm_delivers_all_and_the_process_dies_of_it(front, trainer):
    program = trainer(LOOP.format(url=front.url))
    for _ in range(30):
        last = int(program.line())
    program.kill(signal.SIGTERM)
    assert program.wait() == -signal.SIGTERM
    assert set(range(last + 1)) <= set(front.steps("r"))
    kept = front.run("r")
    assert (kept["state"], kept["exit_code"], kept["reason"]) == ("failed", 143, "SIGTERM")


def test_sigterm_within_a_verb_waits_for_its_end_only(front, trainer):
    """The handler runs on the thread that it interrupts: it must not wait for the sender while a verb holds a lock."""
    program = trainer(f"""
        run = nnm.init(url={front.url!r}, id="r")
        class Scalar:
            shape = ()
            def item(self):  # Called within log().
                os.kill(os.getpid(), signal.SIGTERM)
                for _ in range(1_000):
                    pass  # The handler has run by now.
                say("still inside")
                return 7.0
        nnm.log({{"loss": Scalar()}}, step=3)
        say("never")
    """)
    assert program.wait() == -signal.SIGTERM
    assert program.output == "still inside\n"
    assert front.steps("r")[3]["scalars"] == {"loss": 7.0}
    assert front.run("r")["exit_code"] == 143


def test_own_handler_of_sigterm_stays(front, trainer):
    program = trainer(f"""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        nnm.init(url={front.url!r}, id="r")
        nnm.log({{"loss": 1.0}}, step=0)
        say("ready")
        while True:
            time.sleep(0.01)
    """)
    assert program.line() == "ready"
    program.kill(signal.SIGTERM)
    assert program.wait() == 7
    assert front.run("r")["exit_code"] == 7


def test_server_that_does_not_answer_holds_the_end_up_for_its_deadline_only(front, trainer, tmp_path):
    """The program ends although no request is ever answered; without a deadline this test would hang."""
    import threading

    held = threading.Event()
    front.fault(1_000, held=held)
    program = trainer(f"""
        nnm.init(url={front.url!r}, id="r", exit_timeout=0.3)
        nnm.log({{"loss": 1.0}}, step=0)
    """)
    assert program.wait() == 0
    assert "nnmonitor sync" in program.errors
    held.set()
    front.clear()
    assert main(["sync", str(tmp_path / "spools")]) == 0
    assert sorted(front.steps("r")) == [0]
    assert front.run("r")["state"] == "finished"


def test_forked_children_log_nothing_hang_never_and_leave_the_run_alone(front, trainer):
    program = trainer(f"""
        import threading
        run = nnm.init(url={front.url!r}, id="r")
        stop = False
        def busy():  # Holds the run's lock most of the time, so that forks meet it held.
            step = 0
            while not stop:
                nnm.log({{"other": 1.0}}, step=step)
        thread = threading.Thread(target=busy)
        thread.start()
        children = []
        for _ in range(20):
            child = os.fork()
            if child == 0:
                nnm.log({{"child": 1.0}}, step=5)
                nnm.alert("child")
                nnm.finish()
                sys.exit(0)  # Runs atexit, as a careless child does.
            children.append(child)
        statuses = [os.waitpid(child, 0)[1] for child in children]
        stop = True
        thread.join()
        nnm.log({{"loss": 1.0}}, step=1)
        say(statuses)
    """)
    assert program.wait() == 0, program.errors
    assert program.output.strip() == str([0] * 20)
    assert front.run("r")["state"] == "finished"
    steps = front.steps("r")
    assert steps[1]["scalars"] == {"loss": 1.0} and "child" not in str(steps)


def test_spool_counts_as_left_although_a_forked_child_lives_on(front, trainer, tmp_path):
    front.down()
    program = trainer(f"""
        nnm.init(url={front.url!r}, id="r")
        nnm.log({{"loss": 1.0}}, step=0)
        reading, writing = os.pipe()
        if os.fork() == 0:
            say(f"child {{os.getpid()}}")
            time.sleep(600)
        time.sleep(600)
    """)
    child = int(program.line().split()[1])
    try:
        program.kill(signal.SIGKILL)
        program.process.wait(60)
        front.up()
        assert main(["sync", str(tmp_path / "spools")]) == 0
        assert sorted(front.steps("r")) == [0]
    finally:
        os.kill(child, signal.SIGKILL)


def test_forked_child_may_begin_a_run_of_its_own(front, trainer):
    program = trainer(f"""
        nnm.init(url={front.url!r}, id="parent")
        nnm.log({{"loss": 1.0}}, step=0)
        child = os.fork()
        if child == 0:
            nnm.init(url={front.url!r}, id="child")
            nnm.log({{"loss": 2.0}}, step=0)
            nnm.finish()
            os._exit(0)
        say(os.waitpid(child, 0)[1])
        nnm.log({{"loss": 3.0}}, step=1)
    """)
    assert program.wait() == 0, program.errors
    assert program.output == "0\n"
    assert sorted(front.steps("parent")) == [0, 1]
    assert front.steps("child")[0]["scalars"] == {"loss": 2.0}


def test_sending_imports_nothing(front, trainer):
    """A module that the sender imports while another thread forks stays locked in the child for good."""
    program = trainer(f"""
        before = set(sys.modules)
        nnm.init(url={front.url!r}, id="r", config={{"a": 1}})
        for step in range(300):
            nnm.log({{"loss": 1.0, "nan": float("nan")}}, step=step)
        nnm.alert("x")
        nnm.finish()
        say(sorted(set(sys.modules) - before))
    """)
    assert program.wait() == 0
    assert program.output == "[]\n"
    assert len(front.steps("r")) == 300


def test_running_process_keeps_its_spool_from_sync(front, trainer, tmp_path, capsys):
    program = trainer(LOOP.format(url=front.url))
    program.line()
    assert main(["sync", str(tmp_path / "spools")]) == 0
    assert "skipped" in capsys.readouterr().out
    program.kill(signal.SIGKILL)


def test_full_disk_does_not_reach_training_and_loses_nothing(front, trainer):
    """A limit of the file's size stands for a full disk: writes are cut short, then refused."""
    front.down()
    program = trainer(f"""
        import resource
        nnm.init(url={front.url!r}, id="r", exit_timeout=60)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        for step in range(1_000):
            nnm.log({{"loss": 1 / (step + 1)}}, step=step)
        say("logged")
        while not os.path.exists("go"):
            time.sleep(0.01)
    """)
    assert program.line() == "logged"
    front.up()
    (program.folder / "go").touch()
    assert program.wait() == 0
    assert "is the disk full?" in program.errors
    assert sorted(front.steps("r")) == list(range(1_000))


def test_spool_that_cannot_be_made_does_not_reach_training(front, trainer, tmp_path):
    (tmp_path / "spools").write_text("a file")
    program = trainer(f"""
        run = nnm.init(url={front.url!r}, id="r")
        run.log({{"loss": 1.0}}, step=0)
        say(run.id)
    """)
    assert program.wait() == 0
    assert "training continues" in program.errors
