"""Tables as text: for 80 columns, for a pipe, and without colour. Ids are never cut. Pure."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 80
LAST_COLUMN_MIN: Final = 24
GAP: Final = "  "


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column: its title, and whether its cells stand right (amounts, counts)."""

    title: str
    right: bool = False


def table(*, columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int = WIDTH) -> str:
    """The rows under their titles. The last column wraps between words; a longer word stays whole and juts out."""
    titles = [column.title for column in columns]
    widths = [max(len(row[i]) for row in (titles, *rows)) for i in range(len(columns) - 1)]
    room = max(LAST_COLUMN_MIN, width - sum(widths) - len(GAP) * len(widths))
    widths.append(min(room, max(len(row[-1]) for row in (titles, *rows))))
    rule = GAP.join("-" * wide for wide in widths)
    lines = [*_lines(columns, titles, widths), rule]
    for row in rows:
        lines += _lines(columns, row, widths)
    return "\n".join(line.rstrip() for line in lines)


def paragraph(text: str, *, width: int = WIDTH, indent: str = "") -> str:
    """A sentence or two, wrapped between words."""
    return "\n".join(_wrapped(text, width - len(indent), indent)) if text else ""


def _lines(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = _wrapped(row[-1], widths[-1], "") or [""]
    head = GAP.join(_cell(columns[i], row[i], widths[i]) for i in range(len(columns) - 1))
    lines = []
    for number, last in enumerate(wrapped):
        start = head if number == 0 else " " * len(head)
        lines.append(GAP.join([start, _cell(columns[-1], last, widths[-1])]) if len(columns) > 1 else last)
    return lines


def _cell(column: Column, text: str, wide: int) -> str:
    return text.rjust(wide) if column.right else text.ljust(wide)


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        width + len(indent),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
