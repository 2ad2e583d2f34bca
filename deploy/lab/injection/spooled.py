"""Makes one text go to the spool while everything else goes on: its person's row is held by somebody else."""

from __future__ import annotations

import time

import psycopg

from deploy.lab.injection import drive
from deploy.lab.injection.fault import Bite, FaultError
from deploy.lab.injection.scene import Scene, listeners
from deploy.lab.injection.targets import postgres_nodes, superuser_url

_HOLD = "SELECT 1 FROM reminders_subscriber WHERE number = %s FOR UPDATE"


def directory(scene: Scene) -> str:
    """Where the spool of this system is."""
    return scene.settings.get("RINGBACK_SPOOL_DIR") or str(scene.home.root / "spool")


def text(scene: Scene) -> tuple[list[int], float]:
    """The answers to a text whose person's row is held, in order (0: none came), and the longest in seconds."""
    number = drive.number()
    if not drive.text(scene, number, "HELP"):
        raise FaultError("A text was not answered within 5 s: the person is not known yet.")
    node = next(name for name, role in postgres_nodes(scene.home).items() if role == "primary")
    with psycopg.connect(superuser_url(scene.home, listeners(scene.home)[node]), connect_timeout=2) as connection:
        connection.execute(_HOLD, (number,))
        began = time.monotonic()
        brought = drive.text(scene, number, "LIST", seconds=15)
        seconds = time.monotonic() - began
        connection.rollback()
    return [int(one["status"] or 0) for one in brought], seconds


def refuses(scene: Scene) -> Bite:
    """A text that must go to the spool: whether it is refused, since nothing may be answered that is not stored."""
    statuses, _ = text(scene)
    refused = any(one >= 500 for one in statuses)
    return Bite(bites=refused, measured=f"a text that cannot reach its row was answered {statuses}")
