"""Spans → a waterfall: in the order of the tree, each with its place on the trace's own scale. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from config.observing.spans import Link, Span

_WIDTH_LEAST: Final = 0.4  # per cent: a span of no length can still be seen
_NS: Final = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One span as it is drawn; `left` and `width` are per cent of the trace's length."""

    span: Span
    depth: int
    left: float
    width: float
    milliseconds: float
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """One trace: when it began, how long it took, its bars from the root down."""

    trace_id: str
    began_at: datetime
    milliseconds: float
    failed: bool
    bars: tuple[Bar, ...]

    @property
    def name(self) -> str:
        """What its first span is called."""
        return self.bars[0].span.name


def waterfall(spans: Sequence[Span]) -> Waterfall | None:
    """The spans of one trace, drawn; None where there are none. A span whose parent is missing stands at the root."""
    if not spans:
        return None
    began_ns = min(span.start_ns for span in spans)
    length_ns = max(1, max(span.end_ns for span in spans) - began_ns)
    bars = [_bar(span, depth, began_ns, length_ns) for span, depth in _ordered(spans)]
    return Waterfall(
        trace_id=spans[0].trace_id,
        began_at=datetime.fromtimestamp(began_ns / _NS, UTC),
        milliseconds=length_ns / 1e6,
        failed=any(span.error for span in spans),
        bars=tuple(bars),
    )


def _ordered(spans: Sequence[Span]) -> list[tuple[Span, int]]:
    """Depth first, by start; every span once, whatever its parents are said to be."""
    known = {span.span_id for span in spans}
    children: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda one: (one.start_ns, one.span_id)):
        children.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    ordered: list[tuple[Span, int]] = []
    waiting = [(span, 0) for span in reversed(children.pop("", []))]
    while waiting:
        span, depth = waiting.pop()
        ordered.append((span, depth))
        waiting.extend((child, depth + 1) for child in reversed(children.pop(span.span_id, [])))
    ordered.extend((span, 0) for circle in children.values() for span in circle)
    return ordered


def _bar(span: Span, depth: int, began_ns: int, length_ns: int) -> Bar:
    left = 100 * (span.start_ns - began_ns) / length_ns
    return Bar(
        span=span,
        depth=depth,
        left=round(min(left, 100 - _WIDTH_LEAST), 3),
        width=round(max(_WIDTH_LEAST, min(100 - left, 100 * (span.end_ns - span.start_ns) / length_ns)), 3),
        milliseconds=(span.end_ns - span.start_ns) / 1e6,
        links=span.links,
    )
