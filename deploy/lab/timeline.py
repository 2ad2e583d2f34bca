"""The timeline of a report as inline SVG: answers a second, lateness, which way was open, the faults as bands.

Colours are Okabe and Ito's, and no meaning hangs on a colour alone: refused bars are hatched, rings that are
later than allowed are diamonds, bands carry their names. Pure: a report in, markup out.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

WIDTH: Final = 960
_LEFT, _RIGHT = 56, 12
_BANDS_Y, _BAND_HEIGHT = 14, 16
_ANSWERS_HEIGHT, _LATE_HEIGHT, _OPEN_HEIGHT, _GAP = 110, 130, 14, 38
_TICKS: Final = 4
_BAND_ROWS_MAX: Final = 6
_NAMED_MAX: Final = 9  # more bands than that carry the number of their fault in the table instead of its name
_LETTER: Final = 7.5  # pixels

Report = Mapping[str, Any]
_Row = tuple[Mapping[str, Any], str, int]  # a fault, what its band is called, and the row that it stands in


class _Scale:
    """Seconds of the trial to pixels."""

    def __init__(self, report: Report) -> None:
        times = [0.0, *(one["at"] for one in report["answers"]), *(due + late for due, late in report["rings"])]
        times += [at for one in report["faults"] for at in (one["began_at"], one["ended_at"]) if at is not None]
        times += [one["until"] for one in report["ways"]]
        self.first, self.last = math.floor(min(times)) - 1, math.ceil(max(times)) + 1

    def x(self, seconds: float) -> float:
        share = (seconds - self.first) / (self.last - self.first)
        return float(round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1))

    def ticks(self) -> list[int]:
        step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300) if (self.last - self.first) / s <= 14), 600)
        return list(range(math.ceil(self.first / step) * step, self.last + 1, step))


def drawn(report: Report) -> str:
    """The SVG."""
    scale = _Scale(report)
    rows = _band_rows(report["faults"], scale)
    used = min(max((row for _, _, row in rows), default=0) + 1, _BAND_ROWS_MAX)
    top = _BANDS_Y + used * (_BAND_HEIGHT + 2) + 14
    late_top = top + _ANSWERS_HEIGHT + _GAP
    open_top = late_top + _LATE_HEIGHT + _GAP
    bottom = open_top + _OPEN_HEIGHT
    height = bottom + 34
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(_told(report))}">',
        '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="5" height="5" class="refused"/>'
        '<line x1="0" y1="0" x2="0" y2="5" class="stripe"/></pattern></defs>',
        *_bands(rows, scale, bottom),
        *_axis(scale, bottom),
        *_answers(report["answers"], scale, top),
        *_lateness(report, scale, late_top),
        *_open(report["ways"], scale, open_top),
        *_moments(report["moments"], scale, late_top + _LATE_HEIGHT, open_top),
        "</svg>",
    ]
    return "\n".join(parts)


def _told(report: Report) -> str:
    faults = ", ".join(f"{one['name']} at {one['began_at']:.1f} s" for one in report["faults"]) or "no fault"
    return f"Timeline of {report['experiment']} on {report['tier']}: {faults}"


# ---- faults and moments ----------------------------------------------------------------------------


def _band_rows(faults: Sequence[Mapping[str, Any]], scale: _Scale) -> list[_Row]:
    """Each fault, its words and its row: those that overlap, words and all, stand under each other."""
    free: list[float] = []
    placed = []
    numbered = len(faults) > _NAMED_MAX
    for number, fault in enumerate(sorted(faults, key=lambda one: one["began_at"]), start=1):
        words = str(number) if numbered else f"{fault['name']} {fault['target']}".strip()
        left = scale.x(fault["began_at"])
        row = next((n for n, ends in enumerate(free) if ends <= left), len(free))
        free[row : row + 1] = [max(scale.x(fault["ended_at"] or fault["began_at"]), left + _LETTER * len(words) + 8)]
        placed.append((fault, words, row % _BAND_ROWS_MAX))
    return placed


def _bands(rows: Sequence[_Row], scale: _Scale, bottom: int) -> Iterator[str]:
    for fault, told, row in rows:
        left, right = scale.x(fault["began_at"]), scale.x(fault["ended_at"] or fault["began_at"])
        width, y = max(2.0, right - left), _BANDS_Y + row * (_BAND_HEIGHT + 2)
        yield f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{bottom - y}" class="band"/>'
        yield f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{_BAND_HEIGHT}" class="bandhead"/>'
        words, title = escape(told), f"<title>{escape(fault['name'])} {escape(fault['target'])}</title>"
        anchor, x = ("start", left + 4) if WIDTH - left > _LETTER * len(told) else ("end", left - 4)
        yield f'<text x="{x:.1f}" y="{y + 12}" text-anchor="{anchor}" class="bandname">{words}{title}</text>'


def _moments(moments: Sequence[Mapping[str, Any]], scale: _Scale, top: int, bottom: int) -> Iterator[str]:
    """Deaths and returns, as ticks above the strip; the words are in the table below and in the title."""
    for moment in moments:
        if moment["at"] is None or not scale.first <= moment["at"] <= scale.last:
            continue
        x, back = scale.x(moment["at"]), moment["words"].endswith("is ready")
        leads = moment["words"].endswith(" leads")
        title = f"<title>{moment['at']:.1f} s: {escape(moment['words'])}</title>"
        y = top + (bottom - top) / 2 + (-6 if leads else 6)
        if leads:
            words = escape(moment["words"].removesuffix(" leads"))
            yield f'<text x="{x}" y="{y + 4}" text-anchor="middle" class="leads">★ {words}{title}</text>'
            continue
        shape = f"M{x - 5} {y + 5} L{x + 5} {y + 5} L{x} {y - 5} Z" if back else f"M{x - 4} {y - 4} l8 8 m0 -8 l-8 8"
        yield f'<path d="{shape}" class="{"back" if back else "died"}">{title}</path>'


# ---- panels ----------------------------------------------------------------------------------------


def _axis(scale: _Scale, bottom: int) -> Iterator[str]:
    for tick in scale.ticks():
        yield f'<line x1="{scale.x(tick)}" x2="{scale.x(tick)}" y1="{bottom}" y2="{bottom + 4}" class="axis"/>'
        yield f'<text x="{scale.x(tick)}" y="{bottom + 17}" text-anchor="middle" class="tick">{tick}</text>'
    yield f'<text x="{WIDTH - _RIGHT}" y="{bottom + 31}" text-anchor="end" class="tick">seconds of the load</text>'


def _answers(answers: Sequence[Mapping[str, Any]], scale: _Scale, top: int) -> Iterator[str]:
    most = max((sum(v for k, v in one.items() if k != "at") for one in answers), default=1)
    high = _nice(most)
    yield from _panel("texts a second: accepted, refused (hatched), no answer (grey)", top, _ANSWERS_HEIGHT, high)
    for one in answers:
        y = float(top + _ANSWERS_HEIGHT)
        left, right = scale.x(one["at"]) + 0.5, scale.x(one["at"] + 1) - 0.5
        for kind, shown in (("accepted", "accepted"), ("refused", "hatched"), ("unknown", "none"), ("unsent", "none")):
            tall = one.get(kind, 0) / high * _ANSWERS_HEIGHT
            if tall:
                y -= tall
                title = f"<title>{one['at']} s: {one[kind]} {kind}</title>"
                size = f'width="{max(1.0, right - left):.1f}" height="{tall:.1f}"'
                yield f'<rect x="{left:.1f}" y="{y:.1f}" {size} class="{shown}">{title}</rect>'


def _lateness(report: Report, scale: _Scale, top: int) -> Iterator[str]:
    rings = report["rings"]
    allowed = float(report["settings"].get("RINGBACK_FRESHNESS_SECONDS", 60))
    high = _nice(max([2.0, *(late for _, late in rings)]))
    yield from _panel(
        "seconds late, at the time when it was due (diamonds: later than allowed)", top, _LATE_HEIGHT, high
    )
    if allowed <= high:
        y = top + _LATE_HEIGHT * (1 - allowed / high)
        yield f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="limit"/>'
    for due, late in rings:
        x, y = scale.x(due), top + _LATE_HEIGHT * (1 - max(0.0, late) / high)
        title = f"<title>due at {due:.1f} s, rang {late:.2f} s late</title>"
        if late > allowed:
            yield f'<path d="M{x} {y - 5:.1f} l5 5 l-5 5 l-5 -5 Z" class="toolate">{title}</path>'
        else:
            yield f'<circle cx="{x}" cy="{y:.1f}" r="2.6" class="ring">{title}</circle>'


def _open(ways: Sequence[Mapping[str, Any]], scale: _Scale, top: int) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="{top - 6}" class="label">which way is open for a text (/readyz)</text>'
    shown = {"database": "database", "spool": "spool", "": "closed", "?": "none"}
    for one in ways:
        left, right = scale.x(max(scale.first, one["from"])), scale.x(one["until"] + 0.5)
        words = {"database": "database", "spool": "spool", "": "closed", "?": "cannot be asked"}[one["accept"]]
        size = f'width="{max(2.0, right - left):.1f}" height="{_OPEN_HEIGHT}"'
        yield (
            f'<rect x="{left}" y="{top}" {size} class="way-{shown[one["accept"]]}">'
            f"<title>{one['from']:.1f}–{one['until']:.1f} s: {words}</title></rect>"
        )
        if right - left > 8 * len(words):
            yield f'<text x="{left + 4}" y="{top + 11}" class="wayname">{words}</text>'


def _panel(title: str, top: int, height: int, high: float) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="{top - 6}" class="label">{escape(title)}</text>'
    for nth in range(_TICKS + 1):
        value, y = high * nth / _TICKS, top + height * (1 - nth / _TICKS)
        yield f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" class="tick">{value:g}</text>'


def _nice(value: float) -> float:
    """The next number that a scale ends at."""
    size = 10 ** math.floor(math.log10(value)) if value > 0 else 1
    return float(next(step * size for step in (1, 2, 4, 6, 8, 10) if step * size >= value))
