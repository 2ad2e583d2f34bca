"""What an instance's wall clock says, compared with ours."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from deploy.lab.injection import measures
from deploy.lab.injection.fault import Bite
from deploy.lab.injection.scene import Scene, listeners


def is_off(scene: Scene, *, forward: bool) -> Bite:
    """Whether its clock is off by at least half of the option `offset_seconds`, in that direction."""
    ahead = seconds_ahead(scene)
    wanted = float(scene.options["offset_seconds"]) / 2
    return Bite(
        bites=ahead >= wanted if forward else ahead <= -wanted,
        measured=f"the clock of {scene.target} is {ahead:+.1f} s from ours",
    )


def seconds_ahead(scene: Scene) -> float:
    """By the Date header of its answers; of Postgres by asking it. OSError or FaultError where it does not answer."""
    if scene.target.startswith("postgres"):
        (now,) = measures.sql(scene.home, "SELECT extract(epoch FROM clock_timestamp())::float8", node=scene.target)[0]
        return float(now) - time.time()
    path = "/livez" if scene.target.startswith("web") else "/metrics"
    _, _, headers = measures.http_get(listeners(scene.home)[scene.target], path)
    return parsedate_to_datetime(headers["date"]).timestamp() - time.time()
