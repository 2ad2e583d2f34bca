"""The phone page on a whole running system: from typing to the statement, by mouse and by keyboard."""

import re
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.carrier import Phone
from tests.acceptance.system import System
from tests.browser.conftest import Opened

pytestmark = pytest.mark.browser

CHIP = "Remind in 10 seconds about tea"
_numbers = count(9_000)
# What a reader of the page by ear needs: each control has a name, each picture an alternative, ids are unique.
NAMELESS = """() => [...document.querySelectorAll(
    'button, a[href], input, select, textarea, [role=dialog], [role=log]')]
  .filter((one) => one.getClientRects().length)
  .filter((one) => !(one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.textContent.trim()
                     || (one.labels && [...one.labels].some((label) => label.textContent.trim()))))
  .map((one) => one.outerHTML)
  .concat([...document.images].filter((one) => !one.hasAttribute('alt')).map((one) => one.outerHTML))
  .concat([...document.querySelectorAll('[id]')].map((one) => one.id)
    .filter((id, at, all) => all.indexOf(id) !== at))"""
FOCUS = """() => { const at = document.activeElement, style = getComputedStyle(at);
  return at === document.body ? 'nothing' :
    (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none'
      ? 'seen' : at.outerHTML; }"""


def set_number(page: Page, number: str) -> None:
    """Take a number that nobody had before."""
    field = page.locator(".number")
    field.fill(number)
    field.press("Enter")
    page.locator(".number").blur()
    expect(page.locator("#line")).to_have_text("connected")


@pytest.fixture
def phone(system: System) -> Phone:
    return Phone(system.carrier, f"+1202556{next(_numbers)}")


def test_it_leads_from_typing_to_the_statement(system: System, opened: Opened, phone: Phone) -> None:
    with opened() as page:
        set_number(page, phone.number)
        page.get_by_role("button", name=CHIP).click()
        expect(page.locator(".bubble.in p")).to_have_text(CHIP)
        expect(page.locator(".bubble.out p").first).to_contain_text("#1 tea")
        expect(page.locator(".when")).to_contain_text(re.compile(r"Rings in \d+ s"))
        assert page.evaluate(NAMELESS) == []
        answer = page.get_by_role("button", name="Answer", exact=True)
        expect(answer).to_be_visible()
        expect(page.locator(".phone")).to_have_class(re.compile("ringing"))
        assert page.evaluate(NAMELESS) == []
        answer.click()
        expect(page.locator(".words")).to_contain_text("tea.")
        expect(page.locator(".words")).to_contain_text("Press 1")
        page.get_by_role("button", name="1, done").click()
        card = page.get_by_role("region", name="What just happened")
        expect(card).to_be_visible()
        expect(card).to_contain_text("1 (done)")
        expect(card).to_contain_text("Charged $0.10 for one answered call.")
        expect(card).to_contain_text(f"./manage.py statement {phone.number}")
        assert page.evaluate(NAMELESS) == []
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])
    statement = system.told("statement", phone.number)
    assert [line["kind"] for line in statement["charges"]] == ["sms", "call"]


def test_it_is_used_by_keyboard_alone(system: System, opened: Opened, phone: Phone) -> None:
    with opened() as page:
        set_number(page, phone.number)
        page.get_by_label("Text message").focus()
        page.keyboard.type("Remind in 2 seconds about tea")
        page.keyboard.press("Enter")
        expect(page.locator(".bubble.out p").first).to_contain_text("#1 tea")
        expect(page.get_by_role("dialog", name="Call")).to_be_focused()
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.classList.contains('answer')"):
                break
        assert page.evaluate(FOCUS) == "seen"
        page.keyboard.press("Enter")
        expect(page.locator(".words")).to_contain_text("tea.")
        page.keyboard.press("1")
        expect(page.locator(".receipt")).to_contain_text("1 (done)")
        page.keyboard.press("Escape")
        expect(page.locator(".receipt")).to_be_hidden()
        expect(page.get_by_label("Text message")).to_be_focused()
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])


def test_it_shows_where_the_focus_is_on_every_control(opened: Opened) -> None:
    with opened() as page:
        expect(page.locator("#line")).to_have_text("connected")
        seen = 0
        for _ in range(60):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            if focus == "nothing":
                break
            assert focus == "seen"
            seen += 1
        assert seen >= 8


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_a_narrow_screen_while_it_rings(system: System, opened: Opened, phone: Phone, width: int) -> None:
    with opened(width=width) as page:
        set_number(page, phone.number)
        page.get_by_role("button", name="HELP").click()
        expect(page.locator(".bubble.out p").first).to_contain_text("Ringback")
        phone.texts("Remind in 1 second about " + "a very long walk in the woods " * 4)
        decline = page.get_by_role("button", name="Decline")
        expect(decline).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("Decline", "Ignore", "Answer"):
            box = page.get_by_role("button", name=name, exact=True).bounding_box()
            assert box is not None and box["height"] >= 24 and box["x"] >= 0 and box["x"] + box["width"] <= width
        decline.click()
        expect(page.locator(".receipt .charge")).to_contain_text("free")
    phone.texts("STOP")


def test_it_stands_still_where_reduced_motion_is_asked_for(system: System, opened: Opened, phone: Phone) -> None:
    moving = """() => document.getAnimations().filter((one) => one.playState === 'running'
      && one.effect.getComputedTiming().duration > 100).length"""
    for motion, moves in (("no-preference", True), ("reduce", False)):
        with opened(motion=motion) as page:
            set_number(page, phone.number)
            phone.texts("Remind in 1 second about tea")
            expect(page.get_by_role("button", name="Answer", exact=True)).to_be_visible()
            if moves:
                page.wait_for_function(f"({moving})() > 0")
            else:
                assert page.evaluate(moving) == 0
            page.get_by_role("button", name="Answer", exact=True).click()
            page.locator(".words li", has_text="tea.").wait_for()
            page.keyboard.press("1")
            expect(page.locator(".receipt")).to_contain_text("1 (done)")
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])


def test_it_comes_back_by_itself_when_the_carrier_dies(system: System, opened: Opened, phone: Phone) -> None:
    with opened() as page:
        set_number(page, phone.number)
        page.get_by_role("button", name="HELP").click()
        expect(page.locator(".bubble.out p").first).to_contain_text("Ringback")
    killed = system.kill("carrier")
    system.await_back("carrier", killed)
    with opened() as page:
        set_number(page, phone.number)
        expect(page.locator(".bubble.out p").first).to_contain_text("Ringback")
