"""Segments of an SMS: counted as phones and carriers count, never cutting a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.segments import Count, segments, split

GSM7 = st.text(st.sampled_from("abcXYZ 019@£é\n^{}\\[~]|€"), max_size=700)
ANY = st.text(st.characters(), max_size=400)


# gammu was asked about all but the empty text and the last two, and agreed.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Count("gsm7", 0, 1)),
        ("a" * 160, Count("gsm7", 160, 1)),
        ("a" * 161, Count("gsm7", 161, 2)),
        ("a" * 306, Count("gsm7", 306, 2)),
        ("a" * 307, Count("gsm7", 307, 3)),
        ("€" * 80, Count("gsm7", 160, 1)),
        ("€" * 81, Count("gsm7", 162, 2)),
        ("漢" * 70, Count("ucs2", 70, 1)),
        ("漢" * 71, Count("ucs2", 71, 2)),
        ("漢" * 134, Count("ucs2", 134, 2)),
        ("漢" * 135, Count("ucs2", 135, 3)),
        ("😀" * 35, Count("ucs2", 70, 1)),
        ("😀" * 36, Count("ucs2", 72, 2)),
        ("a" * 69 + "’", Count("ucs2", 70, 1)),
        ("a" * 70 + "`", Count("ucs2", 71, 2)),
    ],
)
def test_it_counts_as_gammu_does(text: str, expected: Count) -> None:
    assert segments(text) == expected


def test_it_never_splits_an_escape() -> None:
    parts = split("a" * 152 + "€" + "b" * 10)
    assert parts == ["a" * 152, "€" + "b" * 10]


def test_it_never_splits_a_surrogate_pair() -> None:
    assert split("漢" * 66 + "😀" + "漢" * 10) == ["漢" * 66, "😀" + "漢" * 10]


def test_it_joins_two_lone_surrogates_that_make_a_pair() -> None:
    assert segments("\ud83d\ude00") == Count("ucs2", 2, 1)


def test_it_counts_a_lone_surrogate_as_one_unit() -> None:
    assert segments("\ud83d") == Count("ucs2", 1, 1)


@given(ANY)
def test_its_parts_are_the_text(text: str) -> None:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    assert "".join(split(text)) == whole
    assert segments(text).segments == len(split(text))


@given(ANY)
def test_it_agrees_with_the_length_in_utf_16_where_the_text_is_ucs2(text: str) -> None:
    count = segments(text)
    if count.encoding == "ucs2":
        assert count.units == len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(GSM7)
def test_each_part_of_several_fits_and_the_next_character_would_not(text: str) -> None:
    parts = split(text)
    widths = [segments(part).units for part in parts]
    if len(parts) == 1:
        assert widths[0] <= 160
        return
    assert all(width <= 153 for width in widths)
    for width, following in zip(widths, parts[1:], strict=False):
        assert width + segments(following[0]).units > 153


@given(GSM7)
def test_one_quote_from_a_word_processor_never_takes_fewer_segments(text: str) -> None:
    assert segments(text + "’").segments >= segments(text).segments
