"""/livez: the process answers. /readyz: a message can be accepted durably, as a probe in the background saw last."""

import threading
import time
from dataclasses import dataclass
from typing import Final

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

PROBE_SECONDS: Final = 0.5
STALE_SECONDS: Final = 3.0


@dataclass
class _Seen:
    """What the probe saw last; `at` is monotonic."""

    accept: str | None = None
    at: float = 0.0


_seen: Final = _Seen()
_started: Final = threading.Event()


def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 and the way that is open, or 503 and null. Never probes by itself."""
    fresh = time.monotonic() - _seen.at < STALE_SECONDS
    accept = _seen.accept if fresh else None
    return JsonResponse({"accept": accept}, status=200 if accept else 503)


def watch() -> None:
    """Start the probe, once per process."""
    if not _started.is_set():
        _started.set()
        threading.Thread(target=_probe, name="readyz", daemon=True).start()


def _probe() -> None:
    while True:
        _seen.accept = "database" if _writable() else None
        _seen.at = time.monotonic()
        time.sleep(PROBE_SECONDS)


def _writable() -> bool:
    """Whether the database takes writes: a standby answers SELECT 1 as well as a primary does."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'")
            row = cursor.fetchone()
            return row is not None and not row[0]
    except DatabaseError:
        return False
    finally:
        connection.close()
