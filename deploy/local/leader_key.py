"""`python -m deploy.local.leader_key FILE`: deletes the leader key of a node that is dead, and of no other.

It reads the names of dead nodes from its standard input, one a line, with the instant until which it may try (on
the machine's monotonic clock). Only the supervisor speaks to it, and only after it has killed and reaped every
process of that node: somebody else who deletes the key of a primary that lives makes two primaries.

The key is deleted only where it holds that node's name and has not changed since it was looked at: a node that
is started again takes a new one, which an old request cannot touch. The connection to the cluster's decisions
is made beforehand; it takes longer than the deletion.
"""

import base64
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol

CONNECTED: Final = "connected"
SETTLED: Final = "settled"  # followed by the node's name, and what became of its key
_ANSWER_SECONDS: Final = 0.25
_AGAIN_SECONDS: Final = 0.02


class Key(Protocol):
    """The leader key, as one program that keeps a cluster's decisions shows it."""

    def held(self) -> tuple[str, int] | None:
        """Whose name it holds, and its version; None where nobody's."""
        ...

    def delete(self, *, node: str, version: int) -> bool:
        """Ask once to delete it, where it still holds that name at that version; no answer is no success."""
        ...


class RaftKey:
    """Held by Raft. Patroni's own delete_leader() is for the holder only, so this goes beneath it."""

    def __init__(self, dcs: Any) -> None:
        self._store, self._path = dcs._sync_obj, dcs.leader_path  # noqa: SLF001

    def held(self) -> tuple[str, int] | None:
        """Whose name it holds, and its version."""
        found = self._store.get(self._path)
        return (found["value"], found["index"]) if found else None

    def delete(self, *, node: str, version: int) -> bool:
        """Ask once; asking again is harmless."""
        answered = threading.Event()
        answer: list[object] = []

        def hear(result: object, error: object) -> None:
            answer.extend((result, error))
            answered.set()

        self._store._delete(  # noqa: SLF001
            self._path, recursive=False, prevValue=node, prevIndex=version, callback=hear
        )
        answered.wait(_ANSWER_SECONDS)
        return answer[:1] == [True]


class EtcdKey:
    """Held by etcd: read from a majority, deleted where its revision is the one that was read."""

    def __init__(self, dcs: Any) -> None:
        self._client, self._path = dcs._client, dcs.leader_path  # noqa: SLF001

    def held(self) -> tuple[str, int] | None:
        """Whose name it holds, and its revision."""
        found = self._client.range(self._path, serializable=False).get("kvs")
        return (base64.b64decode(found[0]["value"]).decode(), int(found[0]["mod_revision"])) if found else None

    def delete(self, *, node: str, version: int) -> bool:  # noqa: ARG002  # a revision is one value's
        """Ask once."""
        return bool(self._client.deleterange(self._path, mod_revision=str(version)))


def main(place: str) -> int:
    """Serve until the supervisor closes its end."""
    from patroni.dcs import get_dcs

    told = settings(Path(place))
    dcs = get_dcs(told)
    key: Key = EtcdKey(dcs) if "etcd3" in told else RaftKey(dcs)
    print(CONNECTED, flush=True)
    for node, until in _asked():
        began = time.monotonic()
        became = delete(key, node=node, until=until)
        print(f"{SETTLED} {node} {became} ({time.monotonic() - began:.2f} s)", flush=True)
    return 0


def settings(place: Path) -> dict[str, Any]:
    """What Patroni's clients are told, of a file that `replicated.leader_key` wrote."""
    found: dict[str, Any] = json.loads(place.read_text())
    return found


def delete(key: Key, *, node: str, until: float) -> str:
    """Try until the key is not that node's; what became of it."""
    while time.monotonic() < until:
        try:
            held = key.held()
            if held is None or held[0] != node:
                return "did not lead"
            if key.delete(node=node, version=held[1]):
                return "led; its key is deleted"
        except Exception as error:  # noqa: BLE001  # Patroni's clients raise what their libraries do
            print(f"not answered: {type(error).__name__}", file=sys.stderr, flush=True)
        time.sleep(_AGAIN_SECONDS)
    return "may still lead: its key was not deleted in time"


def _asked() -> Iterator[tuple[str, float]]:
    for line in sys.stdin:
        node, _, until = line.strip().partition(" ")
        if node and until:
            yield node, float(until)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
