"""/livez: the process answers. /readyz: a message can be accepted durably, as a probe in the background saw last."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from config.postgres import probe
from reminders import drainer


def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """200 and the way that is open, or 503 and null. Never probes by itself."""
    accept = "database" if probe.accepts() else "spool" if drainer.takes() else None
    return JsonResponse({"accept": accept}, status=200 if accept else 503)


def watch() -> None:
    """Start the probe, once per process."""
    if getattr(connection, "pool", None) is not None:
        probe.watch()
