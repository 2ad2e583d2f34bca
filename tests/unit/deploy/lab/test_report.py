"""A report is drawn whole, for every shape that a trial may have, and nothing in it is taken for markup."""

import re
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest

from deploy.lab import figures, page
from deploy.lab.timeline import drawn
from tests.unit.test_tidy import text_of

FOUR: Final = {"lost": 0, "twice": 0, "late": 0, "mischarged": 0}


def report(**changed: Any) -> dict[str, Any]:
    return {
        "format": 1, "experiment": "worker-killed", "title": "A worker dies", "claim": "Nothing is lost.",
        "promises": ["P1"], "tier": "durable", "seed": 1, "at": "2031-01-01T00:00:00Z", "seconds": 30.0,
        "as_expected": True, "wrong": [], "expected": {"lost": 0, "some": ["twice"], "lateness_max_seconds_max": 9},
        "measures": {"texted": 3, "accepted": 2, **FOUR, "lateness_max_seconds": 1.5}, "counts": FOUR, "findings": [],
        "steady": {
            "before": {"holds": True, "seconds": 3.0, "tries": 1, "words": ""},
            "after": {"holds": False, "seconds": 45.0, "tries": 4, "words": "2 of 6 were not rung"},
        },
        "faults": [
            {"name": "worker-killed", "target": "worker-1", "how": "kill", "began_at": 3.0, "ended_at": 5.0},
            {"name": "redis-frozen", "target": "", "how": "stop", "began_at": 4.0, "ended_at": None},
        ],
        "moments": [{"at": 3.1, "words": "worker-1 was killed by SIGKILL"}, {"at": 4.8, "words": "worker-1 is ready"}],
        "ways": [{"from": -4.0, "until": 3.0, "accept": "database"}, {"from": 3.5, "until": 9.0, "accept": ""},
                 {"from": 9.5, "until": 12.0, "accept": "spool"}, {"from": 12.5, "until": 13.0, "accept": "?"}],
        "answers": [{"at": 0, "accepted": 2}, {"at": 1, "refused": 1, "unknown": 2, "unsent": 1}],
        "rings": [[4.0, 0.2], [5.0, 71.0]], "victim": None, "audit": {"P1": True, "P2": None}, "not_tested": ["x"],
        "load": {}, "command": "./manage.py lab run worker-killed", "commit": "abc", "changed": False,
        "host": {"system": "Linux", "machine": "x86_64", "processors": 2, "python": "3.11", "load": [1.0, 2.0, 3.0]},
        "settings": {"RINGBACK_LEASE_SECONDS": "5"}, "instances": ["web-1"], **changed,
    }  # fmt: skip


def test_it_draws_the_faults_the_answers_the_rings_and_the_ways() -> None:
    svg = ET.fromstring(drawn(report()))
    kinds = [node.get("class") for node in svg.iter()]
    assert kinds.count("band") == kinds.count("bandhead") == kinds.count("bandname") == 2
    assert [kinds.count(kind) for kind in ("accepted", "hatched", "none")] == [1, 1, 2]
    assert [kinds.count(kind) for kind in ("ring", "toolate", "limit", "died", "back")] == [1, 1, 1, 1, 1]
    assert {kind for kind in kinds if kind and kind.startswith("way-")} == {
        "way-database", "way-closed", "way-spool", "way-none"
    }  # fmt: skip


def test_it_sets_faults_that_overlap_under_each_other() -> None:
    heads = [node for node in ET.fromstring(drawn(report())).iter() if node.get("class") == "bandhead"]
    assert len({node.get("y") for node in heads}) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"faults": [], "moments": []},
        {"answers": [], "rings": [], "ways": []},
        {"as_expected": False, "wrong": ["a"]},
    ],
    ids=["whole", "a control", "nothing happened", "not as expected"],
)
def test_it_makes_a_page_without_anything_from_outside(changed: dict[str, Any]) -> None:
    made = page.page(report(**changed))
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", made)
    assert "@import" not in made
    assert "url(" not in made.replace("url(#hatch)", "")
    assert "not steady: 2 of 6 were not rung" in made


def test_it_shows_what_was_found_as_text_and_never_as_markup() -> None:
    found = {"kind": "lost", "promise": "P1", "number": "<b>1", "words": "<script>alert(1)</script>", "trace_id": ""}
    victim = {
        "number": "+1",
        "words": "<i>",
        "text": "<u>",
        "trace_id": "",
        "events": [{"at": "x" * 24, "what": "<s>"}],
    }
    made = page.page(report(findings=[found], victim=victim, title="<h1>x", wrong=["<em>"], counts={"lost": 1}))
    assert not re.search(r"<(?:script|i|u|s|em)>|<b>1", made)
    assert "&lt;script&gt;" in made


def test_it_lists_every_report_by_tier() -> None:
    made = page.index([report(), report(tier="naive", experiment="control", as_expected=False)])
    assert made.index('href="durable/worker-killed.html"') < made.index('href="naive/control.html"')
    assert "✗ not as expected" in made


def test_the_reference_says_what_the_figures_say() -> None:
    assert text_of("docs/reference/experiments.md") == figures.drawn(figures.read()), (
        "write it anew: ./manage.py lab report --write-docs"
    )


def test_it_keeps_the_figures_that_a_page_shows() -> None:
    kept = figures.kept(report())
    assert kept["faults"] == ["redis-frozen", "worker-killed"]
    assert "| worker-killed | as expected | 3 | 2 | 0 | 0 | 0 | 0 | 1.5 s | – | – |" in figures.drawn([kept])
