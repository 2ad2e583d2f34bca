"""A running system of one's own for the browser, and a page that may complain of nothing."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.acceptance.system import QUICK, System, Systems

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
]
PATIENCE_MS: Final = 60_000
Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, once a module: the loop that Playwright keeps must end before the next module's tests."""
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    # Playwright keeps an event loop in this thread, which Django takes for an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def system(systems: Systems) -> System:
    """People at a page are slower than scripts: the phone rings long enough, and speech takes a moment."""
    system = systems.running("browser", {**QUICK, "RINGBACK_RING_TIMEOUT_SECONDS": "40"})
    system.carrier.behave(words_per_second=40)
    return system


@pytest.fixture
def opened(browser: Browser, system: System) -> Opened:
    """`with opened() as page`: at the end nothing was complained of, and nothing came from another machine."""

    @contextmanager
    def open_page(
        *, path: str = "", base: str = "carrier", width: int = 1280, motion: Any = "no-preference", zone: str = "UTC"
    ) -> Iterator[Page]:
        complaints: list[str] = []
        addresses: list[str] = []
        context = browser.new_context(viewport={"width": width, "height": 800}, reduced_motion=motion, timezone_id=zone)
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(f"{said.type}: {said.text} {said.location}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(system.interface[base] + "/" + path)
        yield page
        context.close()
        # A browser asks for an icon that no page of the web names.
        assert [said for said in complaints if "/favicon.ico" not in said] == []
        assert [url for url in addresses if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))] == []

    return open_page
