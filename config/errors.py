"""What is told of an error, in logs and (only where a DSN is set) to Sentry: its type and its way, never its words.

An exception repeats what it was given: a database's names the number that was there twice, a parser's the text. So its
message stays here; a database's error tells its SQLSTATE and constraint, an operating system's its number.
Errors go to Sentry from the log, so that there is one event per cause: error level means that code must change. None of
Sentry's integrations but the one that takes over the trace's id: each wraps what serves people, and costs there.
"""

import atexit
import logging
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

log = structlog.get_logger()

LEVELS: Final = frozenset({"error", "exception", "critical"})
CAUSE_SECONDS: Final = 60.0
"""How long a cause that was told is not told again."""
CAUSES_MAX: Final = 256
CHAIN_MAX: Final = 8
# Of what a log line says, ids alone go along.
TAGS: Final = frozenset({"attempt", "reminder", "reply", "kind", "key", "reason", "error", "account", "thread"})
# A page is Alertmanager's to send, and no error of ours; that spans or events do not get through mends itself.
NOT_REPORTED: Final = ("alert.", "opentelemetry", "sentry_sdk", "urllib3")
EVENT_KEPT: Final = frozenset(
    {"event_id", "timestamp", "level", "platform", "exception", "logentry", "message", "fingerprint", "tags"}
    | {"server_name", "environment", "sdk", "type"}
)


class _Reporter:
    """Tells Sentry of each cause once in a while."""

    def __init__(self) -> None:
        self.is_on = False
        self._told: OrderedDict[tuple[object, ...], float] = OrderedDict()
        self._lock = threading.Lock()

    def is_new(self, cause: tuple[object, ...]) -> bool:
        now = time.monotonic()
        with self._lock:
            before = self._told.get(cause)
            if before is not None and now - before < CAUSE_SECONDS:
                return False
            self._told[cause] = now
            self._told.move_to_end(cause)
            while len(self._told) > CAUSES_MAX:
                self._told.popitem(last=False)
        return True


reporter: Final = _Reporter()


def configure(*, dsn: str, instance: str, tier: str) -> None:
    """Load Sentry and begin to report; once per process."""
    import sentry_sdk
    from sentry_sdk.integrations.otlp import OTLPIntegration

    sentry_sdk.init(
        dsn=dsn,
        default_integrations=False,
        auto_enabling_integrations=False,
        # Event and trace share their id; spans go where they went, and headers stay W3C's.
        integrations=[OTLPIntegration(setup_otlp_traces_exporter=False, setup_propagator=False)],
        before_send=_scrubbed,  # type: ignore[arg-type]  # its Event is a TypedDict
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        server_name=instance,
        environment=tier,
        shutdown_timeout=2,
    )
    reporter.is_on = True
    atexit.register(flush)


def catch() -> None:
    """Tell of what nobody catches, in a thread or in an event loop, as of any error; once per process.

    Python would print the words of the one, and asyncio log those of the other together with what was called.
    """
    threading.excepthook = _in_thread
    logging.getLogger("asyncio").addFilter(_in_loop)


def flush() -> None:
    """Send what waits, for two seconds at most."""
    if reporter.is_on:
        import sentry_sdk

        sentry_sdk.flush(timeout=2)


def report(_logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of the log: what is an error is reported, once per cause. Nothing where Sentry is off."""
    if reporter.is_on and method in LEVELS:
        record = event.get("_record")  # of a library: its name, since its message may repeat what it was given
        name = record.name if record is not None else str(event.get("event", "error"))
        if not name.startswith(NOT_REPORTED):
            _report(name, _error_of(event.get("exc_info")), {tag: str(event[tag]) for tag in TAGS & event.keys()})
    return event


def told(error: BaseException) -> str:
    """An error without its words: its type, and what of it names nobody."""
    name = type(error).__name__
    diagnosis = getattr(error, "diag", None) or getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        parts = [diagnosis.sqlstate, diagnosis.constraint_name]
        return " ".join([name, *(part for part in parts if part)])
    return f"{name} {error.errno}" if isinstance(error, OSError) and error.errno else name


def formatted(exc_info: Any) -> str:
    """A traceback for the log: every error of the chain with its way, the first cause first."""
    error = _error_of(exc_info)
    parts: list[str] = []
    while error is not None and len(parts) < CHAIN_MAX:
        parts.append("".join(traceback.format_tb(error.__traceback__)) + told(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nthen:\n".join(reversed(parts))


def _in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        log.error("thread.failed", thread=args.thread.name if args.thread else "", exc_info=args.exc_value)


def _in_loop(record: logging.LogRecord) -> bool:
    """Every loop's handler of what nobody catches logs here, whoever made the loop."""
    if record.levelno >= logging.ERROR:
        record.msg, record.args = "loop.failed", None
    return True


def _report(name: str, error: BaseException | None, tags: dict[str, str]) -> None:
    import sentry_sdk

    way = traceback.extract_tb(error.__traceback__)[-1:] if error is not None else []
    cause = (name, type(error).__name__, *((frame.filename, frame.lineno) for frame in way))
    if not reporter.is_new(cause):
        return
    with sentry_sdk.new_scope() as scope:
        scope.fingerprint = [name, type(error).__name__, *(frame.name for frame in way)]
        scope.set_tags({"event": name, **tags})
        if error is not None:
            sentry_sdk.capture_exception(error)
        else:
            sentry_sdk.capture_message(name, level="error")


def _scrubbed(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """What leaves, and nothing that is not named here."""
    kept = {key: value for key, value in event.items() if key in EVENT_KEPT}
    contexts = event.get("contexts", {})
    kept["contexts"] = {"trace": contexts["trace"]} if "trace" in contexts else {}
    error: BaseException | None = (hint.get("exc_info") or (None, None, None))[1]
    for value in reversed(kept.get("exception", {}).get("values", [])):
        value["value"] = told(error) if error is not None else ""
        error = None
        value.pop("mechanism", None)
    return kept


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        found: BaseException | None = exc_info[1]
        return found
    return sys.exception() if exc_info else None
