"""One instance's life, with short processes."""

import os
import signal
import sys
import time
from pathlib import Path

from deploy.local import platform
from deploy.local.instance import Instance, State
from deploy.local.program import Program


def instance(script: str, **words: object) -> Instance:
    program = Program(
        name="tried-1",
        command=(sys.executable, "-I", "-S", "-c", script),
        environment={},
        directory=Path("/"),
        **words,  # type: ignore[arg-type]
    )
    return Instance(program)


def ended(one: Instance) -> int:
    _, status = os.waitpid(one.pid, 0)
    one.ended(status)
    return os.waitstatus_to_exitcode(status)


def test_it_waits_longer_each_time_and_never_longer_than_the_bound() -> None:
    one = instance("raise SystemExit(3)")
    for wait in (0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0):
        one.start()
        before = time.monotonic()
        assert ended(one) == 3
        assert one.state is State.WAITING
        assert before + wait <= one.not_before <= time.monotonic() + wait


def test_it_forgives_what_stayed_up() -> None:
    one = instance("raise SystemExit(3)")
    one.failures = 5
    one.start()
    one.started_at -= 60
    before = time.monotonic()
    ended(one)
    assert one.failures == 1
    assert before + 0.2 <= one.not_before <= time.monotonic() + 0.2


def test_it_gives_what_was_too_slow_twice_the_time_and_never_more_than_the_bound() -> None:
    """On a busy machine everything was ended at its bound, and made it busier by starting again."""
    one = instance("import time; time.sleep(60)", ready_words="ready", ready_seconds=30)
    for allowed in (30, 60, 120, 120):
        one.start()
        one.started_at -= allowed - 5
        assert not one.is_too_slow()
        one.started_at -= 10
        assert one.is_too_slow()
        one.kill()
        ended(one)
    one.start()
    one._heard = True
    assert one.check()
    one.kill()
    ended(one)
    one.start()
    one.started_at -= 31
    assert one.is_too_slow()  # once it was ready, its own time counts again
    one.kill()
    ended(one)


def test_it_is_ready_when_it_has_said_so_and_shows_whole_lines() -> None:
    script = (
        "import sys, time; print('one'); print('noise'); sys.stdout.write('half'); sys.stdout.flush(); time.sleep(60)"
    )
    one = instance(script, ready_words="noise", hides="^noise$")
    one.start()
    heard: list[str] = []
    until = time.monotonic() + 60
    while not one.check() and time.monotonic() < until:
        heard += one.read()
    assert one.state is State.READY
    assert heard == ["one"]
    assert list(one.last_lines) == ["one", "noise"]
    one.kill()
    assert ended(one) == -signal.SIGKILL


def test_it_ends_the_whole_group() -> None:
    one = instance("import os, time\nprint(os.fork(), flush=True)\ntime.sleep(60)", ready_words="0")
    one.start()
    group = one.pid
    until = time.monotonic() + 60
    while len(platform.group_members(group)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    one.kill()
    ended(one)
    while platform.group_members(group) and time.monotonic() < until:
        time.sleep(0.01)
    assert platform.group_members(group) == []


def test_a_step_is_done_once_it_ends_well() -> None:
    one = instance("pass", once=True)
    one.start()
    assert ended(one) == 0
    assert one.state is State.DONE


def test_a_process_is_known_by_pid_and_start_not_by_pid_alone() -> None:
    one = instance("import time; time.sleep(60)")
    one.start()
    started = platform.started(one.pid)
    assert started == one.started
    assert started is not None
    pid = one.pid
    one.kill()
    ended(one)
    assert platform.started(pid) is None
