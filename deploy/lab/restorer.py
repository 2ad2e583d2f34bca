"""What an experiment does that puts the database back: back up before it, stop, restore, start, release; timed."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from deploy.lab.experiment import Planned
from deploy.lab.subject import DidNotStartError, Subject
from deploy.lab.trial import NotHere, NotInjected

RESTORE_SECONDS: Final = 300.0
RELEASE_SECONDS: Final = 600.0
_RESTORED: Final = re.compile(r"\((?P<seconds>[0-9.]+) s\)")
_REBUILT: Final = re.compile(
    r"(?P<fetched>\d+) were missing; \d+ calls, (?P<placed>\d+) were missing.*\((?P<seconds>[0-9.]+) s\)"
)


class Restorer:
    """In the place of the faults' catalogue: each fault puts the database back by `back_seconds`."""

    def __init__(self, subject: Subject, *, back_seconds: float) -> None:
        """Make the base backup that all of it starts from. Raises NotHere."""
        if subject.started is None:
            raise NotHere("it stops and starts the system, so it needs one of its own: leave out --home")
        self._subject = subject
        self._started = subject.started
        self._back = timedelta(seconds=back_seconds)
        self._measures: list[dict[str, float]] = []
        self._run("backup", seconds=RESTORE_SECONDS)

    def inject(self, fault: Planned) -> str:  # noqa: ARG002 (there is one that it can do)
        """Put it back, and let it go on; what came of it, in words. Raises NotInjected."""
        to, began = datetime.now(UTC) - self._back, time.monotonic()
        self._started.stop()
        stopped = time.monotonic()
        took = _RESTORED.search(self._run("restore", "--to", to.isoformat(), seconds=RESTORE_SECONDS))
        restored = time.monotonic()
        try:
            self._started.start()
        except DidNotStartError as problem:
            raise NotInjected(str(problem)) from None
        runs = time.monotonic()
        said = self._run("release", seconds=RELEASE_SECONDS)
        released = time.monotonic()
        found = _REBUILT.search(said)
        if took is None or found is None:
            raise NotInjected(f"restore and release did not say what they did: {said[-500:]}")
        self._measures.append(
            {
                "restored_seconds": float(took["seconds"]),
                "released_seconds": released - began,
                "rebuilt_texts": float(found["fetched"]),
                "rebuilt_calls": float(found["placed"]),
                "rebuilt_seconds": float(found["seconds"]),
            }
        )
        return (
            f"./manage.py restore --to {to.isoformat(timespec='seconds')}: stopped in {stopped - began:.1f} s, back in "
            f"{restored - stopped:.1f} s, up in {runs - restored:.1f} s, released in {released - runs:.1f} s"
        )

    def heal(self, name: str | None = None) -> None:
        """Nothing is left to undo."""

    def measures(self) -> dict[str, float]:
        """The longest times, and how much was rebuilt in all."""
        if not self._measures:
            return {}
        times = ("restored_seconds", "rebuilt_seconds", "released_seconds")
        longest = {f"{name}_max": max(one[name] for one in self._measures) for name in times}
        return longest | {name: sum(one[name] for one in self._measures) for name in ("rebuilt_texts", "rebuilt_calls")}

    def _run(self, *words: str, seconds: float) -> str:
        done = self._subject.manage(*words, seconds=seconds)
        if done.returncode != 0:
            raise NotInjected(f"{words[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")
        return done.stdout
