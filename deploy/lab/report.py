"""The report of a trial: everything that was found, as JSON that a page and a table are made of later."""

import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.lab.experiment import NAIVE, Experiment
from deploy.lab.oracle import Finding
from deploy.lab.subject import Subject
from deploy.lab.trial import Found
from deploy.local.home import REPOSITORY

FORMAT: Final = 1
_FINDINGS_MAX: Final = 50
_EVENTS_MAX: Final = 40
_BREAKS_MAX: Final = 5
# Which settings say what was waited for; secrets and addresses are nobody's business.
_SHOWN: Final = ("_SECONDS", "_THREADS", "_PER_SECOND", "_TIER", "_ATTEMPTS")


def made(found: Found, subject: Subject, *, command: str) -> dict[str, Any]:
    """The report of a finished trial; `command` repeats it."""
    assert found.judgement is not None
    assert found.watch is not None
    wanted, judgement = found.experiment, found.judgement
    return {
        "format": FORMAT,
        "experiment": wanted.name,
        "title": wanted.title,
        "claim": wanted.claim,
        "promises": list(wanted.promises),
        "tier": found.tier,
        "seed": found.seed,
        "at": _shown(found.started_at),
        "seconds": round(found.ended_at - found.started_at, 1),
        "as_expected": found.is_as_expected,
        "wrong": found.wrong,
        "expected": {name: list(one) if isinstance(one, tuple) else one for name, one in _expected(found).items()},
        "measures": found.measures,
        "counts": judgement.counts(),
        "findings": [{**asdict(one), "promise": one.promise} for one in judgement.findings[:_FINDINGS_MAX]],
        "steady": {"before": _plain(found.before), "after": _plain(found.after)},
        "faults": [
            {**asdict(band), "began_at": _since(found, band.began_at), "ended_at": _since(found, band.ended_at)}
            for band in found.bands
        ],
        "moments": [{"at": _since(found, one.at), "words": one.words} for one in found.watch.moments],
        "ways": _ways(found),
        "answers": _answers(found),
        "rings": _rings(found),
        "victim": _victim(found, subject),
        "audit": {one["id"]: one["ok"] for one in found.audit.get("promises", [])},
        "audit_breaks": _audit_breaks(found),
        "planned": [fault.name for fault in wanted.faults],
        "not_tested": [*wanted.not_tested, *_left_out(found)],
        "load": asdict(wanted.load),
        "command": command,
        **_where(subject),
    }


def write(report: Mapping[str, Any], *, directory: Path) -> Path:
    """Keep it as <tier>/<experiment>.json, the newest in the place of the one before."""
    place = directory / str(report["tier"]) / f"{report['experiment']}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(report, indent=1) + "\n")
    return place


def read_all(directory: Path) -> list[dict[str, Any]]:
    """Every report there, by tier and name; files of another format are left out."""
    found = []
    for place in sorted(directory.glob("*/*.json")):
        report = json.loads(place.read_text())
        if report.get("format") == FORMAT:
            found.append(report)
    return found


def is_done(wanted: Experiment, *, tier: str, directory: Path) -> bool:
    """Whether the last report of this experiment is of this commit, of the same faults, and as expected."""
    try:
        last = json.loads((directory / tier / f"{wanted.name}.json").read_text())
    except (OSError, ValueError):
        return False
    same = [fault.name for fault in wanted.faults] == last.get("planned")
    return bool(same and last["as_expected"] and last["commit"] == commit())


def _left_out(found: Found) -> list[str]:
    count = len(found.left_out)
    return [f"{count} of its faults: to heal the ones before took until nobody texted any more."] if count else []


def _audit_breaks(found: Found) -> list[dict[str, Any]]:
    """What the audit named, a few of each promise."""
    broken = [one for one in found.audit.get("promises", []) if one["ok"] is False]
    return [{"promise": one["id"], **entry} for one in broken for entry in one["breaks"][:_BREAKS_MAX]]


def _expected(found: Found) -> dict[str, Any]:
    return found.experiment.expected(found.tier)


def _ways(found: Found) -> list[dict[str, Any]]:
    """Which way was open, as stretches: from, until, what."""
    assert found.watch is not None
    stretches: list[dict[str, Any]] = []
    for sample in found.watch.samples:
        at = _since(found, sample.at)
        if stretches and stretches[-1]["accept"] == sample.accept:
            stretches[-1]["until"] = at
        else:
            stretches.append({"from": at, "until": at, "accept": sample.accept})
    return stretches


def _answers(found: Found) -> list[dict[str, Any]]:
    """Each second of the load: how many texts were answered how. A text counts where it was sent."""
    seconds: dict[int, Counter[str]] = {}
    for promise in found.promises:
        at = _since(found, promise.scheduled_at)
        if at is not None:
            seconds.setdefault(int(at // 1), Counter())[promise.answer] += 1
    return [{"at": second, **seconds[second]} for second in sorted(seconds)]


def _rings(found: Found) -> list[list[float]]:
    """Each ring: when it was due, and how late it was."""
    assert found.judgement is not None
    rings = sorted(found.judgement.rings, key=lambda ring: ring.due_at)
    return [[_since(found, ring.due_at) or 0.0, round(ring.lateness_seconds, 3)] for ring in rings]


def _victim(found: Found, subject: Subject) -> dict[str, Any] | None:
    """The person who suffered most: by a finding, else by lateness. What happened to them, as they can be told."""
    assert found.judgement is not None
    assert found.books is not None
    number, words = _worst(found.judgement.findings), "a promise was not kept to them"
    if number is None:
        during = [ring for ring in found.judgement.rings if ring.phase == "during"]
        if not during:
            return None
        worst = max(during, key=lambda ring: ring.lateness_seconds)
        number, words = worst.number, f"rung {worst.lateness_seconds:.1f} s after it was due: the latest of all"
    traces = [one.trace_id for one in found.books.ours.reminders if one.number == number and one.trace_id]
    promise = next((one for one in found.promises if one.number == number), None)
    return {
        "number": number,
        "words": words,
        "text": promise.subject if promise else "",
        "trace_id": traces[0] if traces else "",
        "events": list(_events(subject, number)) if found.tier != NAIVE else [],
    }


def _worst(findings: Sequence[Finding]) -> str | None:
    traced = [one for one in findings if one.trace_id]
    return next((one.number for one in [*traced, *findings]), None)


def _events(subject: Subject, number: str) -> Iterator[dict[str, Any]]:
    done = subject.manage("trace", number, "--json")
    try:
        events: Iterable[Mapping[str, Any]] = json.loads(done.stdout)["events"]
    except (ValueError, KeyError):
        return
    for event in list(events)[:_EVENTS_MAX]:
        yield {"at": event["at"], "what": event["what"]}


def _since(found: Found, unix: float | None) -> float | None:
    return round(unix - found.load_at, 2) if unix is not None else None


def _plain(one: Any) -> dict[str, Any] | None:
    return asdict(one) if one is not None else None


def _where(subject: Subject) -> dict[str, Any]:
    return {
        "commit": commit(),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "host": host(),
        "settings": {name: value for name, value in sorted(subject.settings.items()) if name.endswith(_SHOWN)},
        "instances": subject.names(),
    }


def host() -> dict[str, Any]:
    """The machine, without its name."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def commit() -> str:
    """The commit that is checked out."""
    return _git("rev-parse", "--short=10", "HEAD") or "unknown"


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _shown(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
