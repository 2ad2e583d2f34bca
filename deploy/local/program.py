"""What is to run: one program of the plan, without any process yet."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LEADER_KEY: Final = "leader-key"  # who deletes the leader key of a Postgres node, when the supervisor says so


@dataclass(frozen=True, kw_only=True)
class Program:
    """One instance to keep running, or with `once` one step to carry out.

    `needs` names programs that must be ready (steps: done) before its first start. `ready` is asked with the
    pid and must answer at once; without it the program is ready when it has said `ready_words` (or has lived
    half a second where there are none). `stop_rank`: lower stops first; one rank stops together.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path
    needs: tuple[str, ...] = ()
    once: bool = False
    ready: Callable[[int], bool] | None = None
    ready_words: str = ""
    ready_seconds: float = 30.0
    awaited: bool = True  # the system does not count as running before it is ready
    spared: bool = False  # the system also runs where this one never starts
    hears: bool = False  # the supervisor writes lines to its standard input
    stop_rank: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 1.0
    uid: int | None = None  # another user than ours, with `gid` and no other groups
    gid: int | None = None
    node: Path | None = None  # the directory of a Postgres node: whoever works there belongs to it (deploy.local.node)
    hides: str = ""  # a pattern: lines that match say nothing new to a person
