"""`python -m deploy.local.leader_key FILE`: deletes the leader key of a node that is dead, and of no other.

It reads the names of dead nodes from its standard input, one a line, with the instant until which it may try (on
the machine's monotonic clock). Only the supervisor speaks to it, and only after it has killed and reaped every
process of that node: somebody else who deletes the key of a primary that lives makes two primaries.

The key is deleted only where it holds that node's name and has not changed since it was looked at: a node that
is started again takes a new one, which an old request cannot touch. The connection to the cluster's decisions
is made beforehand; it takes longer than the deletion.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

CONNECTED: Final = "connected"
SETTLED: Final = "settled"  # followed by the node's name, and what became of its key
_ANSWER_SECONDS: Final = 0.25
_AGAIN_SECONDS: Final = 0.02


def main(place: str) -> int:
    """Serve until the supervisor closes its end."""
    from patroni.dcs import get_dcs

    dcs = get_dcs(json.loads(Path(place).read_text()))
    print(CONNECTED, flush=True)
    for node, until in _asked():
        began = time.monotonic()
        became = delete(dcs, node=node, until=until)
        print(f"{SETTLED} {node} {became} ({time.monotonic() - began:.2f} s)", flush=True)
    return 0


def delete(dcs: Any, *, node: str, until: float) -> str:
    """Try until the key is not that node's; what became of it."""
    while time.monotonic() < until:
        held = dcs._sync_obj.get(dcs.leader_path)  # noqa: SLF001  # its own delete_leader() is for the holder only
        if not held or held["value"] != node:
            return "did not lead"
        if _deleted(dcs, node=node, index=held["index"]):
            return "led; its key is deleted"
        time.sleep(_AGAIN_SECONDS)
    return "may still lead: its key was not deleted in time"


def _deleted(dcs: Any, *, node: str, index: int) -> bool:
    """Ask once; no answer is no success, and asking again is harmless."""
    answered = threading.Event()
    answer: list[object] = []

    def hear(result: object, error: object) -> None:
        answer.extend((result, error))
        answered.set()

    dcs._sync_obj._delete(  # noqa: SLF001
        dcs.leader_path, recursive=False, prevValue=node, prevIndex=index, callback=hear
    )
    answered.wait(_ANSWER_SECONDS)
    return answer[:1] == [True]


def _asked() -> Iterator[tuple[str, float]]:
    for line in sys.stdin:
        node, _, until = line.strip().partition(" ")
        if node and until:
            yield node, float(until)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
