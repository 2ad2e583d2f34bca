"""How a trace is drawn: in the order of its tree, every span once, on the trace's own scale."""

from hypothesis import given
from hypothesis import strategies as st

from config.observing.spans import Span
from config.observing.waterfall import waterfall


def span(span_id: str, parent_id: str = "", start_ns: int = 0, end_ns: int = 1_000_000, error: str = "") -> Span:
    return Span(
        trace_id="ab" * 16,
        span_id=span_id,
        parent_id=parent_id,
        name=span_id,
        instance="web-1",
        start_ns=start_ns,
        end_ns=end_ns,
        error=error,
        attributes={},
    )


def test_it_draws_nothing_of_nothing() -> None:
    assert waterfall([]) is None


def test_it_draws_children_under_their_parent_by_their_start() -> None:
    drawn = waterfall([span("late", "root", 600, 900), span("root", "", 0, 1000), span("early", "root", 100, 500)])
    assert drawn is not None
    assert [(bar.span.name, bar.depth, bar.left, bar.width) for bar in drawn.bars] == [
        ("root", 0, 0.0, 100.0),
        ("early", 1, 10.0, 40.0),
        ("late", 1, 60.0, 30.0),
    ]


def test_a_span_whose_parent_is_elsewhere_stands_at_the_root() -> None:
    drawn = waterfall([span("attend", "of-another-process")])
    assert drawn is not None
    assert drawn.bars[0].depth == 0


def test_it_says_where_something_failed() -> None:
    drawn = waterfall([span("root"), span("child", "root", error="timeout")])
    assert drawn is not None
    assert drawn.failed


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 99), st.integers(0, 99)), max_size=12))
def test_it_draws_every_span_once_and_inside_the_page(told: list[tuple[int, int, int, int]]) -> None:
    """Whatever the parents are said to be: of another trace, one another, themselves."""
    spans = {str(own): span(str(own), str(parent), start, start + length) for own, parent, start, length in told}
    drawn = waterfall(list(spans.values()))
    shown = drawn.bars if drawn else ()
    assert sorted(bar.span.span_id for bar in shown) == sorted(spans)
    assert all(0 <= bar.left <= 100 and 0 < bar.width <= 100 for bar in shown)
