"""Which traces are kept: decided when a process's part of one has ended, so that what went wrong is never missed.

Kept are those with an error, those that took long, those of a person under watch, and a share of the rest that is a
function of the trace's id alone: every process keeps the same ones. Bounded: a part that does not end is let go.
What was done for several at once (`tracing.MEMBERS`) ends before they do: with an error, or slow, it is kept and so is
each of them; else it waits for them, and is kept with the first that is.
"""

import threading
from collections import OrderedDict
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import StatusCode

from reminders.tracing import KEEP, MEMBERS

OPEN_TRACES_MAX: Final = 2_000
SPANS_OF_A_TRACE_MAX: Final = 256
_SHARES: Final = 1 << 56


def is_kept_by_share(trace_id: int, ratio: float) -> bool:
    """Whether a trace is of the share that is kept: the low 56 bits of its id, as W3C's level 2 makes them random."""
    return (trace_id & (_SHARES - 1)) < ratio * _SHARES


class TailProcessor(SpanProcessor):
    """Holds the spans of a trace until its local root ends, then hands on all of them, or none."""

    def __init__(self, following: SpanProcessor, *, ratio: float, slow_seconds: float) -> None:
        self._following = following
        self._ratio = ratio
        self._slow_ns = int(slow_seconds * 1e9)
        self._lock = threading.Lock()
        self._open: OrderedDict[int, list[ReadableSpan]] = OrderedDict()
        self._groups: OrderedDict[int, list[ReadableSpan]] = OrderedDict()  # by the trace of each member
        self._wanted: OrderedDict[int, bool] = OrderedDict()  # members of a group that is kept for itself

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing yet: what matters is known at the end."""

    def on_end(self, span: ReadableSpan) -> None:
        """Hold it; at the end of the local root decide for all."""
        context = span.context
        if context is None:
            return
        is_root = span.parent is None or span.parent.is_remote
        with self._lock:
            held = self._open.setdefault(context.trace_id, [])
            if len(held) < SPANS_OF_A_TRACE_MAX:
                held.append(span)
            if is_root:
                del self._open[context.trace_id]
            elif len(self._open) > OPEN_TRACES_MAX:
                self._open.popitem(last=False)
        if is_root:
            for one in self._kept(context.trace_id, span, held):
                self._following.on_end(one)

    def shutdown(self) -> None:
        """Hand on nothing more."""
        self._following.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what was kept so far."""
        return self._following.force_flush(timeout_millis)

    def _kept(self, trace_id: int, root: ReadableSpan, held: list[ReadableSpan]) -> list[ReadableSpan]:
        """What goes on now that a local root has ended: its trace or nothing; with it the group that it was in."""
        tells = self._is_telling(root) or any(self._is_telling(span) for span in held)
        members = [link.context.trace_id for link in root.links] if MEMBERS in (root.attributes or {}) else []
        with self._lock:
            if members:
                return self._kept_group(members, held, tells=tells)
            group = self._groups.pop(trace_id, [])
            is_wanted = self._wanted.pop(trace_id, False)
            if not (tells or is_wanted or is_kept_by_share(trace_id, self._ratio)):
                return []
            whole = [*held, *group]
            group.clear()  # it goes on once, whoever of its members comes next
            return whole

    def _kept_group(self, members: list[int], held: list[ReadableSpan], *, tells: bool) -> list[ReadableSpan]:
        if tells:
            self._wanted.update(dict.fromkeys(members, True))
        else:
            self._groups.update(dict.fromkeys(members, held))
        for several in (self._wanted, self._groups):
            while len(several) > OPEN_TRACES_MAX:
                several.popitem(last=False)
        return held if tells else []

    def _is_telling(self, span: ReadableSpan) -> bool:
        if span.status.status_code is StatusCode.ERROR or (span.attributes or {}).get(KEEP):
            return True
        return (span.end_time or 0) - (span.start_time or 0) > self._slow_ns
