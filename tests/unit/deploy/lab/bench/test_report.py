"""The report: its marks, its judgements, and what lateness is."""

from pathlib import Path

import pytest

from deploy.lab.bench import report, results, steady, texts
from deploy.lab.bench.figures import spread
from deploy.local.carrier.webhooks import sign


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    assert report.replaced(page, "new") == f"before\n{report.BEGIN}\n\nnew\n{report.END}\nafter\n"


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="marks"):
        report.replaced("no marks here", "new")


def test_the_page_of_the_repository_has_its_marks() -> None:
    page = report.PAGE.read_text()
    assert report.replaced(page, "new")
    assert report.replaced(page, "new", begin=report.BEGIN_LOOKING, end=report.END_LOOKING)


def test_figures_come_back_from_disk_as_they_were_kept(tmp_path: Path) -> None:
    kept = results.Results(place=tmp_path / "results.json")
    kept.add("burst", processes=1, ours=spread([1.0, 2.0]), sides={"bare": spread([3.0])}, lost=0)
    found = results.read(tmp_path / "results.json").found["burst-1"]
    assert found["ours"] == {"rounds": 2, "median": 1.5, "least": 1.0, "most": 2.0}
    assert found["sides"]["bare"]["median"] == 3.0
    assert found["lost"] == 0


def test_nothing_kept_is_an_empty_report(tmp_path: Path) -> None:
    assert results.read(tmp_path / "none.json").found == {}


def test_a_burst_under_a_quarter_of_the_bare_loop_has_missed_its_target(tmp_path: Path) -> None:
    kept = results.Results(place=tmp_path / "results.json")
    one = spread([1.0])
    for processes, ratio in ((1, 0.24), (2, 0.25)):
        kept.add(
            "burst",
            processes=processes,
            n=10,
            ours=one,
            peer=one,
            ratio=spread([ratio]),
            lost=0,
            twice=0,
            cpu_us={},
            load=one,
        )
    rows = [line for line in report.tables(kept).splitlines() if line.startswith(("| 1 |", "| 2 |"))]
    assert "**missed**" in rows[0]
    assert "| met |" in rows[1]


@pytest.mark.parametrize(
    ("scan_ms", "claim_ms", "said"),
    [(2.0, 10.0, "met, met"), (2.1, 10.0, "**missed**, met"), (2.0, 10.1, "met, **missed**")],
)
def test_scan_and_claim_are_judged_beside_the_snapshot_too(
    tmp_path: Path, scan_ms: float, claim_ms: float, said: str
) -> None:
    kept = results.Results(place=tmp_path / "results.json")
    quiet, held = _probed(1.0, 5.0), _probed(scan_ms, claim_ms)
    late = {
        "n": 1_000,
        "p50_ms": 1.0,
        "p99_ms": 2.0,
        "lost": 0,
        "twice": 0,
        "per_second": 200.0,
        "ended": 999,
        "open": 1,
    }
    memory = {"worker-1": [[1024, 512 * 2], [2048, 1024], [3072, 2048]]}
    found = {"quiet": quiet, "held": held, "beside": held, "held_seconds": 600, "late": late, "memory": memory}
    kept.add("scan-7000", processes=1, pending=7_000, load=1.0, **found)
    told = report.tables(kept)
    assert f"| 600 s | {scan_ms:.2f} / 9.00 |" in told
    assert f"| {said} |" in told
    assert "1,000 due at 200/s, 0 lost, 0 called twice; 999 attempts ended, 1 were open" in told
    assert "worker-1 1 (1) → 2 (1) → 3 (2)" in told


def _probed(scan_ms: float, claim_ms: float) -> dict[str, object]:
    scan, claim = ({"p50_ms": ms, "p99_ms": 9.0} for ms in (scan_ms, claim_ms))
    return {"scan": scan, "full": scan, "claim": claim, "claim_cpu_ms": 1.0}


def test_lateness_is_of_the_first_call_and_early_is_counted() -> None:
    dues = {"+1": 100.0, "+2": 101.0, "+3": 102.0, "+4": 103.0}
    calls = [("+1", 100.010), ("+2", 100.900), ("+1", 130.0), ("+3", 102.0), ("+9", 1.0)]
    found = steady.judged(dues, calls)
    assert found["max_ms"] == pytest.approx(10.0)
    assert (found["n"], found["early"], found["lost"], found["twice"]) == (4, 1, 1, 1)


def test_no_two_texts_are_the_same_and_each_is_signed() -> None:
    made = texts.webhooks(
        count=200,
        known=10,
        new_from=500,
        base="http://127.0.0.1:8000",
        host="127.0.0.1:8000",
        account_sid="AC1",
        auth_token="t",
        service_number="+12025550100",
        seed=1,
    )
    bodies = [request.partition(b"\r\n\r\n")[2] for request in made]
    assert len(set(bodies)) == 200
    assert sum(b"From=%2B12022000" in body for body in bodies) == 200
    form = [("A", "1")]
    assert sign(token="t", url="u", params=form) == sign(token="t", url="u", params=form)


def _looked(place: Path, *, everything: float) -> results.Results:
    kept = results.Results(place=place)
    costs = {name: spread([100.0 * share]) for name, share in (("nothing", 1.0), ("everything", everything))}
    told = {"everything": spread([everything])}
    one = spread([1.0])
    kept.add("looking", processes=1, n=9, failed=0, cpu_us=costs, ratios=told, receiver_us=7, load=one)
    return kept


@pytest.mark.parametrize(("everything", "said"), [(1.5, ": met."), (1.51, ": **missed**.")])
def test_looking_is_judged_by_everything_against_nothing(tmp_path: Path, everything: float, said: str) -> None:
    assert said in report.looking_tables(_looked(tmp_path / "results.json", everything=everything))


def test_a_report_of_one_measure_leaves_the_tables_of_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = (report.BEGIN, "kept", report.END, report.BEGIN_LOOKING, "old", report.END_LOOKING)
    page.write_text("\n".join(marks))
    report.write(_looked(tmp_path / "results.json", everything=1.2), page)
    assert "kept" in page.read_text()
    assert "old" not in page.read_text()
    assert "| everything |" in page.read_text()
