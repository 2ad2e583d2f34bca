"""/livez: the process answers. /readyz: a message can be accepted durably, as a probe in the background saw last.

People's pages say for themselves that the database is away.
"""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
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


class Away:
    """Middleware: a page that the database could not answer is a 503 that says so, no error of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:  # noqa: ARG002
        """What Django calls where a view raised."""
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        said = "The database does not answer at the moment. Nothing was changed, or it is not known: look again.\n"
        return HttpResponse(said, status=503, content_type="text/plain", headers={"Retry-After": "2"})
