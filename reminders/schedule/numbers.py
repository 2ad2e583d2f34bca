"""Numbers as they are written and said: 20, twenty-one, half, a couple of, dedh."""

from __future__ import annotations

from reminders.schedule.words import Lexicon

NONE = (-1.0, 0)


def number(lexicon: Lexicon, words: list[str], i: int) -> tuple[float, int]:
    """The number that starts at word `i` and the index after it; (-1, 0) where there is none."""
    if i >= len(words):
        return NONE
    word = words[i]
    if word < ":":  # a figure, or a sign, which is none
        return _figures(word, i)
    if word in lexicon.a:
        after = words[i + 1] if i + 1 < len(words) else ""
        if (after in lexicon.number and after not in lexicon.a) or after in lexicon.fraction:
            return number(lexicon, words, i + 1)
        if after in lexicon.multiplier:
            return float(lexicon.multiplier[after]), i + 2  # "a hundred"
        return 1.0, i + 1
    if word in lexicon.fraction:
        j = i + 1
        return lexicon.fraction[word], j + (j < len(words) and words[j] in lexicon.a)
    if word in lexicon.adder and i + 1 < len(words) and words[i + 1] not in lexicon.adder:
        if words[i + 1] in lexicon.unit:
            return 1 + lexicon.adder[word], i + 1  # "sava ghante": an hour and a quarter
        value, j = number(lexicon, words, i + 1)
        return (value + lexicon.adder[word], j) if j else NONE
    if word in lexicon.number:
        return _worded(lexicon, words, i)
    return NONE


def _figures(word: str, i: int) -> tuple[float, int]:
    if word.isdecimal():
        return (float(word), i + 1) if len(word) <= 8 else NONE
    whole, mark, part = word.replace(" ", "").partition("." if "." in word else "," if "," in word else "/")
    whole = whole or "0"  # ".5"
    if not (mark and whole.isdecimal() and part.isdecimal()) or len(word) > 10:
        return _range(word, i)
    if mark == "/":
        return (int(whole) / int(part), i + 1) if int(part) else NONE
    return float(f"{whole}.{part}"), i + 1


def _range(word: str, i: int) -> tuple[float, int]:
    """ "20-25" minutes: the sooner, so that nobody is late."""
    first, dash, second = word.replace(" ", "").partition("-")
    return (float(first), i + 1) if dash and first.isdecimal() and second.isdecimal() and len(first) < 6 else NONE


def _worded(lexicon: Lexicon, words: list[str], i: int, below: float = 1e9) -> tuple[float, int]:
    """ "two thousand three hundred and five": what multiplies becomes smaller, so that it ends soon."""
    value, j, n = lexicon.number[words[i]], i + 1, len(words)
    if value >= 20 and value % 10 == 0 and j < n:
        k = j + (words[j] == "-" or (words[j] in lexicon.both and lexicon.code != "en"))
        unit = lexicon.number.get(words[k], 0) if k < n else 0
        if 0 < unit < 10 and unit == int(unit):
            value, j = value + unit, k + 1
    if j < n and (times := lexicon.multiplier.get(words[j], 0)) and times < below:
        value, j = value * times, j + 1
        k = j + (j < n and words[j] in lexicon.both)
        if k < n and words[k] in lexicon.number:
            rest, j = _worded(lexicon, words, k, times)
            value += rest
    return value, j
