"""A report as one page of HTML without anything from outside, and the index of all reports. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from deploy.lab.timeline import drawn

Report = Mapping[str, Any]

HEADLINE: Final = ("lost", "twice", "late", "mischarged")
MEANING: Final[Mapping[str, str]] = {
    "lost": "accepted and then lost", "twice": "rung twice", "late": "late without saying so",
    "mischarged": "charged wrongly", "unresolved": "still open at the end", "dead": "dead letters",
    "texted": "texts sent", "accepted": "texts accepted", "refused": "texts refused",
    "unknown": "texts without an answer",
    "unsent": "texts that the carrier did not take", "rung": "reminders that rang", "missed": "missed, and told so",
    "told_late": "late, said so, free", "told_refused": "refused in words",
    "kept_unanswered": "kept though nobody had said so", "audit_breaks": "promises that the audit found broken",
    "statements_differ": "statements shown that differ from the ledger",
    "quiet": "everything ended by itself in time (1: yes)", "lateness_p50_seconds": "lateness, median (s)",
    "lateness_p99_seconds": "lateness, 99th percentile (s)", "lateness_max_seconds": "lateness, worst (s)",
    "gap_median_seconds": "longest time without an accepted text after a fault, median (s)",
    "gap_max_seconds": "longest time without an accepted text after a fault, worst (s)",
    "recovered_seconds": "steady again after the undoing (s)",
}  # fmt: skip
STYLE: Final = (Path(__file__).parent / "page.css").read_text()


def page(report: Report) -> str:
    """The whole page of one trial."""
    title = f"{report['experiment']} on {report['tier']}"
    return _document(title, "\n".join(_sections(report)))


def index(reports: Sequence[Report]) -> str:
    """All trials, tier by tier, each linked to its page."""
    parts = ["<h1>What the lab has found</h1>"]
    parts.append('<p class="soft">Each line is the last trial of an experiment on a tier. As expected is the verdict: ')
    parts.append("a tier that is expected to lose must be seen to lose.</p>")
    for tier in dict.fromkeys(report["tier"] for report in reports):
        rows = [_row(report) for report in reports if report["tier"] == tier]
        parts.append(f"<h2>{escape(tier)}</h2>")
        head = "".join(f"<th>{one}</th>" for one in ("experiment", "verdict", *HEADLINE, "worst lateness", "when"))
        parts.append(f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>')
    return _document("Ringback's experiments", "\n".join(parts))


def verdict(report: Report) -> str:
    """In two words."""
    return "as expected" if report["as_expected"] else "not as expected"


def _row(report: Report) -> str:
    name, tier, measures = report["experiment"], report["tier"], report["measures"]
    late = measures.get("lateness_max_seconds")
    cells = [
        f'<td><a href="{escape(tier)}/{escape(name)}.html">{escape(report["title"])}</a></td>',
        f"<td class='v'>{'✓' if report['as_expected'] else '✗'} {verdict(report)}</td>",
        *(f'<td class="n">{measures[kind]:g}</td>' for kind in HEADLINE),
        f'<td class="n">{late:.1f} s</td>' if late is not None else "<td>–</td>",
        f'<td class="soft">{escape(report["at"][:16].replace("T", " "))}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _sections(report: Report) -> Iterator[str]:
    yield f'<p><a href="../index.html">all experiments</a> <span class="soft">{escape(report["at"])}</span></p>'
    yield f"<h1>{escape(report['title'])}</h1>"
    is_good = report["as_expected"]
    mark = f'<span class="verdict {"yes" if is_good else "no"}">{"✓" if is_good else "✗"} {verdict(report)}</span>'
    yield f"<p>{mark} tier <b>{escape(report['tier'])}</b>, promises {escape(', '.join(report['promises']))}</p>"
    yield f"<p><b>Claim.</b> {escape(report['claim'])}</p>"
    if report["wrong"]:
        yield "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in report["wrong"]) + "</ul>"
    yield '<div class="four">' + "".join(_figure(report, kind) for kind in _tiles(report)) + "</div>"
    yield f'<div class="wide">{drawn(report)}</div>'
    yield '<p class="soft">✗ a process died, ▲ it serves again, ★ a database node leads. Point at it to read it.</p>'
    yield from _faults(report)
    yield from _findings(report)
    yield from _measures(report)
    yield from _victim(report)
    yield from _rest(report)


def _tiles(report: Report) -> list[str]:
    """The four counts, and the other kinds of finding where there are any."""
    return [*HEADLINE, *(kind for kind, count in report["counts"].items() if count and kind not in HEADLINE)]


def _figure(report: Report, kind: str) -> str:
    count = report["measures"][kind]
    return f'<div class="{"bad" if count else "good"}"><b>{count:g}</b>{MEANING[kind]}</div>'


def _faults(report: Report) -> Iterator[str]:
    yield "<h2>What was done, and what happened</h2>"
    faults = sorted(report["faults"], key=lambda one: one["began_at"])
    rows = [
        (one["began_at"], f"{nth}. <b>{escape(one['name'])}</b> <code>{escape(one['how'])}</code>")
        for nth, one in enumerate(faults, start=1)
    ]
    rows += [
        (one["ended_at"], f"healed: {escape(one['name'])}") for one in report["faults"] if one["ended_at"] is not None
    ]
    rows += [(one["at"], escape(one["words"])) for one in report["moments"]]
    told = "".join(f'<tr><td class="n">{at:.1f} s</td><td>{words}</td></tr>' for at, words in sorted(rows))
    yield f'<div class="wide"><table>{told}</table></div>' if rows else "<p>Nothing: this is a control.</p>"
    for phase, words in (("before", "Before"), ("after", "After everything was undone")):
        steady = report["steady"][phase]
        if steady:
            state = f"steady after {steady['seconds']:.1f} s" if steady["holds"] else f"not steady: {steady['words']}"
            yield f"<p>{words}: {escape(state)} ({steady['tries']} {'try' if steady['tries'] == 1 else 'tries'}).</p>"


def _findings(report: Report) -> Iterator[str]:
    if not report["findings"]:
        return
    yield "<h2>Promises that were not kept</h2>"
    rows = "".join(
        f"<tr><td>{one['promise']} {one['kind']}</td><td>{escape(one['number'])}</td><td>{escape(one['words'])}</td>"
        f"<td><code>{escape(one['trace_id'][:16])}</code></td></tr>"
        for one in report["findings"][:20]
    )
    yield f'<div class="wide"><table><tr><th>what</th><th>who</th><th>how</th><th>trace</th></tr>{rows}</table></div>'
    total = sum(report["counts"].values())
    if total > 20:
        yield f"<p class='soft'>The first 20 of {total}.</p>"


def _measures(report: Report) -> Iterator[str]:
    yield "<h2>Measured, and expected</h2>"
    expected = report["expected"]
    rows = []
    for name, value in report["measures"].items():
        bounds = [
            f"{words}{expected[key]:g}"
            for key, words in ((name, ""), (f"{name}_max", "at most "), (f"{name}_min", "at least "))
            if key in expected
        ]
        some = " some" if name in expected.get("some", ()) else ""
        rows.append(
            f'<tr><td>{MEANING.get(name, name)}</td><td class="n">{value:g}</td><td>{", ".join(bounds)}{some}</td></tr>'
        )
    head = '<tr><th></th><th class="n">measured</th><th>expected</th></tr>'
    yield f'<div class="wide"><table>{head}{"".join(rows)}</table></div>'
    if report["audit"]:
        words = {True: "kept", False: "BROKEN", None: "not checked"}
        told = ", ".join(f"{name} {words[ok]}" for name, ok in report["audit"].items())
        yield f"<p><code>./manage.py audit</code> at the end: {told}.</p>"
    if report.get("audit_breaks"):
        yield f"<pre>{escape(json.dumps(report['audit_breaks'], indent=1))}</pre>"


def _victim(report: Report) -> Iterator[str]:
    victim = report["victim"]
    if not victim:
        return
    yield "<h2>One of the people</h2>"
    yield f"<p>{escape(victim['number'])}, who asked for “{escape(victim['text'])}”: {escape(victim['words'])}.</p>"
    if victim["trace_id"]:
        yield f"<p>Trace <code>{escape(victim['trace_id'])}</code></p>"
    if victim["events"]:
        rows = "".join(
            f"<tr><td class='soft'>{escape(one['at'][11:23])}</td><td>{escape(one['what'])}</td></tr>"
            for one in victim["events"]
        )
        yield f'<div class="wide"><table>{rows}</table></div>'


def _rest(report: Report) -> Iterator[str]:
    yield "<h2>What was not tested</h2>"
    yield "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in report["not_tested"]) + "</ul>"
    yield "<h2>Again</h2>"
    yield f"<pre>{escape(report['command'])}</pre>"
    host, changed = report["host"], " with changes" if report["changed"] else ""
    yield (
        f"<p>Commit <code>{escape(report['commit'])}</code>{changed}; {escape(host['system'])}, "
        f"{escape(host['machine'])}, {host['processors']} processors, Python {escape(host['python'])}, load "
        f"{', '.join(f'{one:g}' for one in host['load'])}; {report['seconds']:g} s in all.</p>"
    )
    settings = " ".join(f"{name}={value}" for name, value in report["settings"].items())
    yield f"<p class='soft'>Runs: {escape(', '.join(report['instances']))}.<br><code>{escape(settings)}</code></p>"


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>\n{body}\n</main></body></html>\n"
    )
