"""The systems that the acceptance tests drive, and where a failed test says what its system had said."""

from collections.abc import Generator
from contextlib import suppress
from typing import Final

import pytest

from tests.acceptance.carrier import Carrier, Phone
from tests.acceptance.system import QUICK, SHARED, System, Systems

SAID_MAX: Final = 6000
WAITS: Final = (
    "SELECT kind, wait_cause, parked, claims, due_at, wake_at, now() FROM reminders_timer ORDER BY due_at LIMIT 9"
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a test that failed: what its system had said, and what still waits in its rows."""
    report = yield
    system = getattr(item, "funcargs", {}).get("system")
    if report.when == "call" and report.failed and isinstance(system, System):
        report.sections.append(("what the system had said", system.said()[-SAID_MAX:]))
        with suppress(OSError):
            report.sections.append(("what waits", "\n".join(map(str, system.rows(WAITS)))))
    return report


@pytest.fixture
def system(systems: Systems) -> System:
    """The system that most tests share: times are short, nothing is broken."""
    return systems.running(SHARED, QUICK)


@pytest.fixture
def carrier(system: System) -> Carrier:
    """Its carrier, behaving as usual."""
    return system.carrier


@pytest.fixture
def phone(carrier: Carrier) -> Phone:
    """A phone that nobody had before."""
    return carrier.phone()
