"""An SMS is counted as the networks count it (each case agreed with gammu)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.carrier.texts import segments, whole


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("你" * 70, 1),
        ("你" * 71, 2),
        ("你" * 134, 2),
        ("你" * 135, 3),
        ("🎉" * 35, 1),
        ("🎉" * 36, 2),
        ("a" * 69 + "`", 1),
        ("a" * 70 + "`", 2),
        ("a" * 152 + "€" + "a" * 152, 3),
    ],
)
def test_it_counts_segments(text: str, count: int) -> None:
    assert segments(text) == count


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_it_makes_any_text_fit_to_travel(text: str) -> None:
    assert whole(whole(text).encode().decode()) == whole(text)


@given(st.text())
def test_it_leaves_a_whole_text_as_it_is(text: str) -> None:
    assert whole(text) == text
