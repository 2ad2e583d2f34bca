"""The page of nines in a browser: its figures are those of the rows, in UTC, readable narrow and without colours."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.system import System
from tests.browser.conftest import Opened
from tests.browser.test_admin_pages import sign_in

pytestmark = pytest.mark.browser

SLO = "replica-freshness"  # of a tier without standbys nothing else counts it
FAR_FROM_UTC = "Pacific/Honolulu"
KINDS = {"deploy": "▲", "fault": "✕", "failover": "⇄"}


@pytest.fixture
def planted(system: System) -> datetime:
    """2,999 of 3,000 were good half an hour ago, and a mark of each kind beside them; when that was."""
    minute = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
    system.plant("DELETE FROM observing_rollup WHERE slo = %s", SLO)
    system.plant("INSERT INTO observing_rollup (slo, minute, good, total) VALUES (%s, %s, 2999, 3000)", SLO, minute)
    for kind in KINDS:
        system.plant(
            "INSERT INTO observing_mark (id, at, kind, says) VALUES (gen_random_uuid(), %s, %s, %s)",
            minute, kind, f"a planted {kind}",
        )  # fmt: skip
    return minute


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window, or a table than its card."""
    wider: int = page.evaluate(
        "Math.max(...[document.documentElement, ...document.querySelectorAll('article')]"
        ".map((one) => one.scrollWidth - one.clientWidth))"
    )
    return wider


@pytest.mark.parametrize("width", [1280, 390])
def test_it_shows_the_staff_what_the_rows_say(system: System, opened: Opened, planted: datetime, width: int) -> None:
    with opened(path="admin/login/?next=/status/", base="web", width=width, zone=FAR_FROM_UTC) as page:
        sign_in(page, system)
        row = page.locator(f"[data-slo={SLO}] tbody tr").first
        expect(row.locator("th")).to_have_text("1 h")
        expect(row.locator("td.nines")).to_have_text("3.48")
        assert [row.locator("td").nth(place).text_content() for place in (1, 2, 3)] == ["2.83", "3,000", "1"]
        # What is met or missed is said by a sign, whoever sees no colours.
        sign = f"getComputedStyle(document.querySelector('[data-slo={SLO}] .nines'), '::after').content"
        assert page.evaluate(sign).strip('"').strip() in ("✓", "✗")
        for kind, mark in KINDS.items():
            told = page.locator(f"#marks li.{kind}", has_text=f"a planted {kind}").first
            expect(told).to_contain_text(f"{planted:%m-%d %H:%M}:00 {mark} {kind}")
        assert overflow(page) == 0


def test_its_curves_show_utc_wherever_the_browser_is(opened: Opened) -> None:
    with opened(path="status/", base="web", zone=FAR_FROM_UTC) as page:
        plot = page.locator("#curves .u-over")
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box is not None
        plot.hover(position={"x": box["width"] - 2, "y": box["height"] / 2})
        shown = page.locator("#curves .u-legend .u-series").first.locator(".u-value")
        expect(shown).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d$"))
        at = datetime.strptime(shown.inner_text(), "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        assert abs(datetime.now(UTC) - at) < timedelta(hours=1)


@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_sees_the_public_objectives_without_scrolling_aside(opened: Opened, width: int) -> None:
    with opened(path="status/", base="web", width=width) as page:
        expect(page.locator("[data-slo]")).to_have_count(4)
        expect(page.locator("#curves .u-over")).to_be_visible()
        expect(page.locator("#verdict")).not_to_be_empty()
        assert overflow(page) == 0
