# mypy: ignore-errors
"""Serves the bare Django endpoint as `deploy.local.web` serves Ringback: granian in one process."""

import os

from granian.constants import Interfaces
from granian.log import LogLevels

from deploy.local.web import OneProcess

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
