"""The phone page in headless Chromium: text, countdown, ring, answer, key, receipt."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.integration.carrier_sim.world import PHONE, World, play

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WORDS = '<Response><Gather numDigits="1" timeout="60" action="/keys"><Say>Your reminder: tea.</Say></Gather></Response>'
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]


@asynccontextmanager
async def opened(world: World, width: int = 1280, path: str = "/") -> AsyncIterator[Page]:
    """The page; at the end, nothing was complained of and nothing came from elsewhere."""
    expect.set_options(timeout=60_000)
    complaints: list[str] = []
    outside: list[str] = []
    world.service.replies = {
        "/carriers/twilio/sms": "<Response><Message>Tea, in 2 seconds.</Message></Response>",
        "/words": WORDS,
        "/keys": "<Response><Say>Done.</Say></Response>",
    }
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": width, "height": 800}, reduced_motion="reduce")
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: outside.append(request.url))
        await page.goto(world.base + path)
        await expect(page.locator("#line")).to_have_text("connected")
        yield page
        await browser.close()
    assert complaints == []
    ours = (world.base, world.service.base)
    assert [url for url in outside if not url.startswith(ours)] == []


def test_it_leads_from_a_text_to_the_receipt_by_keyboard(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async with opened(world) as page:
            await page.get_by_label("Text message").fill("Remind in 2 seconds about tea")
            await page.keyboard.press("Enter")
            await expect(page.locator(".bubble.out p")).to_have_text("Tea, in 2 seconds.")
            await expect(page.locator(".when")).to_contain_text("Rings in")
            await expect(page.locator(".bubble.in small")).to_contain_text("accepted")
            await world.dial()
            await expect(page.get_by_role("button", name="Answer", exact=True)).to_be_visible()
            await expect(page.get_by_role("dialog", name="Call")).to_be_focused()
            await page.get_by_role("button", name="Answer", exact=True).focus()
            await page.keyboard.press("Enter")
            await expect(page.locator(".words li")).to_have_text("Your reminder: tea.")
            await page.keyboard.press("1")
            await expect(page.locator(".receipt")).to_contain_text("1 (done)")
            await expect(page.locator(".receipt .charge")).to_have_text("Charged $0.10 for one answered call.")
            await expect(page.locator(".receipt")).to_contain_text(f"./manage.py statement {PHONE}")
            await expect(page.get_by_label("Text message")).to_be_focused()
            await page.keyboard.press("Escape")
            await expect(page.locator(".receipt")).to_be_hidden()
        assert world.service.at("/keys")[0]["Digits"] == "1"

    play(story, tmp_path)


@pytest.mark.parametrize(("button", "state"), [("Decline", "busy"), ("Ignore", "no-answer")])
def test_it_lets_a_call_be_refused_or_ignored(tmp_path: Path, button: str, state: str) -> None:
    async def story(world: World) -> None:
        async with opened(world) as page:
            call = await world.dial(Timeout="10")
            await page.get_by_role("button", name=button).click()
            await expect(page.get_by_role("dialog")).to_be_hidden()
            await world.state(call["sid"], state)
            await expect(page.locator(".receipt .charge")).to_contain_text("free")

    play(story, tmp_path)


def test_it_promises_nothing_on_the_tier_naive(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.engine.settings = replace(world.engine.settings, tier="naive")
        async with opened(world) as page:
            await expect(page.locator(".break")).to_contain_text(
                "On this tier nothing sees to it that the phone rings."
            )
            await expect(page.locator("#breaks")).to_contain_text("worker-1.pid")
            await expect(page.locator("#breaks")).not_to_contain_text("audit")
            await expect(page.get_by_role("link", name="Trace")).to_be_hidden()
            await world.dial(Timeout="10")
            await page.get_by_role("button", name="Decline").click()
            await expect(page.locator(".receipt .charge")).to_contain_text("Charged, since it was sent")
            await expect(page.locator(".receipt")).to_be_visible()
            await expect(page.get_by_text("./manage.py statement")).to_be_hidden()

    play(story, tmp_path)


def test_it_fits_a_narrow_screen(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async with opened(world, width=360) as page:
            await page.get_by_role("button", name="HELP").click()
            await page.get_by_role("button", name="Add a phone").click()
            await expect(page.locator(".phone")).to_have_count(2)
            assert await page.evaluate("document.documentElement.scrollWidth") == 360

    play(story, tmp_path)


def test_it_rings_only_the_phone_that_is_called(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async with opened(world) as page:
            await page.get_by_role("button", name="Add a phone").click()
            await world.dial(to="+12025550124")
            await expect(page.locator(".phone.ringing .number")).to_have_value("+1 202 555 0124")
            await page.get_by_role("button", name="Remove this phone").nth(1).click()
            await expect(page.locator(".phone")).to_have_count(1)
            number = page.locator(".number")
            await number.fill("+1 202 555 01")
            await number.press("Enter")
            await number.fill("nonsense")
            await number.press("Enter")
            await expect(page.get_by_role("alert")).to_contain_text("A number begins with +")

    play(story, tmp_path)


def test_it_tells_when_the_service_does_not_answer(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.behave(sms_url="http://127.0.0.1:1/sms")
        async with opened(world) as page:
            await page.get_by_role("button", name="LIST").click()
            await expect(page.locator(".bubble.bad small")).to_contain_text("did not answer")

    play(story, tmp_path)


@pytest.mark.parametrize("body", ["<img src=x onerror=alert(1)>", "</p><script>alert(1)</script>"])
def test_it_shows_marks_as_text(tmp_path: Path, body: str) -> None:
    async def story(world: World) -> None:
        async with opened(world) as page:
            await world.text(body)
            await expect(page.locator(".bubble.in p")).to_have_text(body)

    play(story, tmp_path)
