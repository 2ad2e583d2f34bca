"""`down` and `reset`: stop the system of a data directory, and throw its data away."""

import os
import shutil
import signal
import time
from typing import Final

from deploy.local import records
from deploy.local.home import Home, home
from deploy.local.problems import CannotStartError

_STOP_SECONDS: Final = 15.0
# Everything that a system keeps, from the data directory.
DATA: Final = (
    "run",
    "postgres-*",
    "raft-*",
    "etcd",
    "etcd.*",
    "replicated",
    "backups",
    "archive",
    "quarantine",
    "witness",
    "redis",
    "carrier",
    "carrier-*",
    "spool",
    "secrets",
    "traces",
    "prometheus",
    "alertmanager",
    "lab/history.jsonl",  # what was broken; the reports of experiments are nobody's data, and stay
)


def down() -> int:
    """Stop what runs, also what a killed supervisor left behind. Raises CannotStartError where it stays."""
    place = home()
    if _stopped(place):
        print("Stopped. The data is kept; `make reset` throws it away.")
        return 0
    left = records.end_leftovers(place)
    records.forget(place)
    print(f"Ended what was left: {', '.join(left)}." if left else "Nothing runs. Start it with `make up`.")
    return 0


def reset(*, sure: bool) -> int:
    """Stop the system and delete its data, after asking."""
    place = home()
    found = [one for name in DATA for one in sorted(place.root.glob(name))]
    if not found:
        print(f"There is no data in {place.root}.")
        return 0
    if not sure and not _agreed(f"Delete every reminder, charge and secret in {place.root}?"):
        print("Nothing was deleted.")
        return 1
    if not _stopped(place):
        records.end_leftovers(place)
    for one in found:
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()
    print(f"Deleted the data in {place.root}.")
    return 0


def _stopped(place: Home) -> bool:
    """Tell the supervisor to stop, and wait until it has; False where none runs."""
    supervisor = records.supervisor(place)
    if supervisor is None:
        return False
    print("Stopping …", flush=True)
    os.kill(supervisor, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while records.supervisor(place) is not None:
        if time.monotonic() > until:
            raise CannotStartError(
                f"The supervisor (pid {supervisor}) does not stop: kill -9 it, then `make down` again."
            )
        time.sleep(0.05)
    return True


def _agreed(question: str) -> bool:
    try:
        return input(f"{question} Type yes: ").strip().lower() == "yes"
    except EOFError:
        return False
