"""The staff's pages in a browser: signing in, and what a reminder's page shows."""

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.carrier import Phone
from tests.acceptance.system import System
from tests.browser.conftest import Opened

pytestmark = pytest.mark.browser


def sign_in(page: Page, system: System) -> None:
    page.get_by_label("Username:").fill("staff")
    page.get_by_label("Password:").fill(system.home.secret("staff_password"))
    page.get_by_role("button", name="Log in").click()


def test_it_lets_the_staff_in_and_nobody_else(system: System, opened: Opened) -> None:
    with opened(path="admin/", base="web") as page:
        expect(page).to_have_url(f"{system.interface['web']}/admin/login/?next=/admin/")
        page.get_by_label("Username:").fill("staff")
        page.get_by_label("Password:").fill("guessed")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator(".errornote")).to_be_visible()
        sign_in(page, system)
        expect(page.get_by_role("heading", name="Site administration")).to_be_visible()
        expect(page.get_by_role("link", name="Ledger transactions")).to_be_visible()


def test_it_shows_a_reminders_whole_story(system: System, opened: Opened) -> None:
    phone: Phone = Phone(system.carrier, "+12025568999")
    system.carrier.behave(answer="always", press="1")
    phone.texts("Remind in 1 second about the admin")
    phone.awaits_end(phone.rings())
    system.oracle.await_quiet([phone])
    ((reminder,),) = system.rows(
        "SELECT r.id FROM reminders_reminder r JOIN reminders_subscriber s ON s.id = r.subscriber_id"
        " WHERE s.number = %s",
        phone.number,
    )
    with opened(path=f"admin/login/?next=/admin/reminders/reminder/{reminder}/change/", base="web") as page:
        sign_in(page, system)
        expect(page.locator("#content")).to_contain_text("the admin")
        for told in ("reminder.scheduled", "reminder.answered", "answered", phone.calls[0]["sid"]):
            expect(page.locator("#content")).to_contain_text(told)
