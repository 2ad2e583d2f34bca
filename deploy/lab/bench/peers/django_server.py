# mypy: ignore-errors
"""Serves the bare Django endpoint: granian in one process, from threads."""

import os

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mt import MTServer


class OneProcess(MTServer):
    def _check_gil(self):
        pass


OneProcess(
    "django_app:application",
    address="127.0.0.1",
    port=int(os.environ["PORT"]),
    interface=Interfaces.WSGI,
    workers=1,
    websockets=False,
    blocking_threads=int(os.environ["BENCH_POOL"]),
    log_access=False,
    log_level=LogLevels.error,
).serve()
