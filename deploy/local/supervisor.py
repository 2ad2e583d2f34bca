"""The supervisor: starts the programs of a plan, restarts what dies, stops everything in order.

One thread, one loop: reap, step every instance, wait for lines, deaths or signals. Nothing in it may wait for
a process. As a subreaper it is the parent of every orphan of what it started: a child that is no instance's
process is one, and is killed.
"""

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from typing import Final

from deploy.local import platform, records
from deploy.local.home import Home
from deploy.local.instance import Instance, State
from deploy.local.leader_key import SETTLED
from deploy.local.lines import Lines
from deploy.local.node import Node
from deploy.local.program import LEADER_KEY, Program

_TICK_SECONDS: Final = 0.05
_IDLE_SECONDS: Final = 1.0
_FAILURES_AT_START_MAX: Final = 3
_STOP_SECONDS: Final = 9.5
_ORPHANS_SECONDS: Final = 0.5
_REAP_SECONDS: Final = 0.002
_LEADER_KEY_SECONDS: Final = 5.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Keeps the programs of one data directory running until it is told to stop."""

    def __init__(
        self, programs: Sequence[Program], *, home: Home, lines: Lines, on_ready: Callable[[float], None]
    ) -> None:
        self._instances = [Node(one, one.node) if one.node else Instance(one) for one in programs]
        self._nodes = [one for one in self._instances if isinstance(one, Node)]
        self._served: dict[str, int] = {}  # who serves as a node, as its pid file says
        self._asked: dict[str, float] = {}  # dead nodes whose leader key shall go, and until when that is tried
        self._home = home
        self._lines = lines
        self._on_ready = on_ready
        self._began = time.monotonic()
        self._all_ready = False
        self._stopping = 0  # how often we were told to
        self._failed = ""
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Run until SIGINT, SIGTERM or SIGHUP, or until something cannot start: then the exit code is 1."""
        platform.adopt_orphans()
        with self._signals():
            try:
                while not self._stopping and not self._failed:
                    self._step()
                    self._wait(_IDLE_SECONDS if self._is_settled() else _TICK_SECONDS)
            finally:
                self._stop()
        if self._failed:
            self._lines.say(self._failed)
        return 1 if self._failed else 0

    # ---- running -----------------------------------------------------------------------------------

    def _step(self) -> None:
        self._reap()
        for instance in self._instances:
            if instance.state is State.WAITING and self._may_start(instance):
                self._start(instance)
            elif instance.check():
                self._lines.say(f"{instance.name} is ready ({self._seconds(instance)})")
                if instance.name == LEADER_KEY:
                    self._tell_of_the_dead()
            elif instance.is_too_slow():
                self._lines.say(f"{instance.name} is not ready after {self._seconds(instance)}: ended")
                instance.kill()
        self._step_nodes()
        awaited = [one for one in self._instances if one.program.awaited]
        if not self._all_ready and all(one.state in (State.READY, State.DONE) for one in awaited):
            self._all_ready = True
            self._on_ready(time.monotonic() - self._began)

    def _is_settled(self) -> bool:
        return all(one.state in (State.READY, State.DONE) for one in self._instances)

    def _may_start(self, instance: Instance) -> bool:
        if time.monotonic() < instance.not_before or records.is_held(self._home, instance.name):
            return False
        if instance.was_ready:
            return True  # a restart waits for nobody: what it needs may be away, which it must survive
        needed = [one for one in self._instances if one.name in instance.program.needs]
        return all(one.state is State.DONE or one.was_ready for one in needed)

    def _start(self, instance: Instance) -> None:
        try:
            instance.start(records.overrides(self._home, instance.name))
        except OSError as problem:
            self._failed = f"{instance.name} cannot be started ({problem}): run ./manage.py doctor."
            return
        self._selector.register(instance.output, selectors.EVENT_READ, instance)
        if not instance.program.once:
            records.write_pid(self._home, _process_name(instance), instance.pid)
        self._record()

    def _record(self) -> None:
        running = {
            _process_name(one): records.Process(pid=one.pid, started=one.started)
            for one in self._instances
            if one.pid and one.started
        }
        for name, pid in self._served.items():
            started = platform.started(pid)
            if started:
                running[name] = records.Process(pid=pid, started=started)
        records.write(self._home, running)

    # ---- Postgres nodes ----------------------------------------------------------------------------

    def _step_nodes(self) -> None:
        for node in self._nodes:
            if node.state is State.ENDING:
                if node.members():
                    node.kill()
                else:
                    self._gone(node)
            elif node.pid:
                self._follow(node)

    def _follow(self, node: Node) -> None:
        """The node's pid file names its postmaster, which Patroni starts and stops by itself."""
        serving = node.serving()
        if serving == self._served.get(node.name, 0):
            return
        if serving:
            self._served[node.name] = serving
            records.write_pid(self._home, node.name, serving)
        else:
            self._forget_served(node)
        self._record()

    def _forget_served(self, node: Node) -> None:
        self._served.pop(node.name, None)
        records.forget_pid(self._home, node.name)

    def _gone(self, node: Node) -> None:
        """Every process of it is killed and reaped. Only now may anybody say that it does not lead any more."""
        node.state = State.WAITING
        self._forget_served(node)
        if self._stopping or self._failed:
            return
        until = time.monotonic() + _LEADER_KEY_SECONDS
        self._asked[node.name] = until
        node.not_before = max(node.not_before, until + 1)  # or until the answer comes
        self._tell_of_the_dead()

    def _tell_of_the_dead(self) -> None:
        """Asked twice it deletes once. A request whose time is over is asked no more: the node starts again."""
        now = time.monotonic()
        self._asked = {name: until for name, until in self._asked.items() if until > now}
        for keeper in self._instances:
            if keeper.name == LEADER_KEY:
                for name, until in self._asked.items():
                    keeper.tell(f"{name} {until:.3f}")

    def _hear_of_the_dead(self, line: str) -> None:
        _, name, *words = line.split()
        for node in self._nodes:
            if node.name == name and self._asked.pop(name, 0.0):
                node.not_before = time.monotonic()
                self._lines.say(f"{name} {' '.join(words)}")

    # ---- deaths ------------------------------------------------------------------------------------

    def _reap(self) -> None:
        for pid, status in self._dead():
            instance = next((one for one in self._instances if one.pid == pid), None)
            if instance is not None:
                self._bury(instance, status)
            else:
                self._end_node_of(pid, status)

    def _dead(self) -> list[tuple[int, int]]:
        dead = []
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                dead.append((pid, status))
        return dead

    def _end_node_of(self, pid: int, status: int) -> None:
        """A postmaster that was killed takes its node along; one that Patroni stopped does not."""
        if not (os.WIFSIGNALED(status) or self._stopping):
            return
        for node in self._nodes:
            if node.pid and pid in (node.last_served(), self._served.get(node.name)):
                if not self._stopping:
                    self._lines.say(f"{node.name} {_death(status)}: its whole node is ended")
                node.kill()

    def _bury(self, instance: Instance, status: int) -> None:
        """Its process was reaped: everything else that it began goes too, before anything replaces it."""
        self._hear(instance)
        instance.kill()
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(instance.output)
        lived = self._seconds(instance)
        instance.ended(status)
        self._end_orphans()
        if isinstance(instance, Node):
            instance.state = State.ENDING
            self._step_nodes()
        if instance.state is State.DONE:
            self._lines.say(f"{instance.name} done ({lived})")
        elif not self._stopping and not self._failed:
            self._lines.say(f"{instance.name} {_death(status)} after {lived}")
            self._give_up_where_hopeless(instance)

    def _end_orphans(self) -> None:
        until = time.monotonic() + _ORPHANS_SECONDS
        while time.monotonic() < until:
            orphans = [pid for pid in platform.children(os.getpid()) if not self._is_ours(pid)]
            if not orphans:
                return
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                self._reap_orphan(pid, until)

    def _reap_orphan(self, pid: int, until: float) -> None:
        """Reap what was killed; one that hangs in the kernel is not waited for any longer than `until`."""
        with contextlib.suppress(ChildProcessError):
            while time.monotonic() < until:
                reaped, status = os.waitpid(pid, os.WNOHANG)
                if reaped:
                    self._end_node_of(pid, status)  # it may have been a postmaster that was on its way out
                    return
                time.sleep(_REAP_SECONDS)

    def _is_ours(self, pid: int) -> bool:
        """Whether a child of ours is an instance's process, or lives in a node that lives."""
        return any(pid == one.pid for one in self._instances if one.pid) or any(
            platform.works_in(pid, node.directory) for node in self._nodes if node.pid and platform.LINUX
        )

    def _give_up_where_hopeless(self, instance: Instance) -> None:
        tries = 1 if instance.program.once else _FAILURES_AT_START_MAX
        if self._all_ready or instance.was_ready or instance.failures < tries or instance.program.spared:
            return
        said = instance.last_words()
        self._failed = f"{instance.name} does not start, so everything stops again. Its last words: {said}"

    # ---- stopping ----------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Stop in the order of the ranks, within the time that a person waits; a second signal hurries."""
        until = time.monotonic() + _STOP_SECONDS
        self._stopping = max(self._stopping, 1)
        self._lines.say("stopping (again to hurry)")
        for rank in sorted({one.program.stop_rank for one in self._instances}):
            group = [one for one in self._instances if one.program.stop_rank == rank and one.pid]
            for instance in group:
                instance.stop()
            seconds = max((one.program.stop_seconds for one in group), default=0.0)
            self._await_end(group, min(until, time.monotonic() + seconds))
        self._end_orphans()
        records.forget(self._home)
        self._lines.say("stopped")

    def _await_end(self, group: list[Instance], until: float) -> None:
        while any(one.pid for one in group) and time.monotonic() < until and self._stopping < 2:
            self._wait(_TICK_SECONDS)
            self._reap()
        for instance in group:
            if instance.pid:
                self._lines.say(f"{instance.name} was not done in time: ended")
                instance.kill()
        hard = time.monotonic() + 1.0
        while any(one.pid for one in group) and time.monotonic() < hard:
            self._wait(_TICK_SECONDS)
            self._reap()

    # ---- waiting -----------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Instance):
                self._hear(key.data)
            else:
                os.read(key.fd, 512)

    def _hear(self, instance: Instance) -> None:
        if instance.output >= 0:
            for line in instance.read():
                self._lines.say(line, name=instance.name)
            if instance.name == LEADER_KEY:
                for line in instance.overheard(SETTLED):
                    self._hear_of_the_dead(line)

    @contextlib.contextmanager
    def _signals(self):  # type: ignore[no-untyped-def]
        """Signals and deaths wake the loop; the handlers only note them."""
        waking, woken = os.pipe()
        os.set_blocking(waking, False)
        os.set_blocking(woken, False)
        self._selector.register(waking, selectors.EVENT_READ, None)
        before = {number: signal.signal(number, self._told) for number in _SIGNALS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _told(self, *_: object) -> None:
        self._stopping += 1

    def _seconds(self, instance: Instance) -> str:
        return f"{time.monotonic() - instance.started_at:.1f} s"


def _process_name(instance: Instance) -> str:
    """Of a node the process that was started is Patroni; who serves is another one."""
    return instance.name.replace("postgres", "patroni") if isinstance(instance, Node) else instance.name


def _death(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
