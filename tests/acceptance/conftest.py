"""The systems that the acceptance tests drive, and where a failed test says what its system had said."""

from collections.abc import Iterator

import pytest

from tests.acceptance.carrier import Carrier, Phone
from tests.acceptance.system import QUICK, System, Systems


@pytest.fixture(scope="session")
def systems() -> Iterator[Systems]:
    """What runs, by name."""
    running = Systems()
    yield running
    running.close()


@pytest.fixture
def system(systems: Systems) -> System:
    """The system that most tests share: times are short, nothing is broken."""
    return systems.running("shared", QUICK)


@pytest.fixture
def carrier(system: System) -> Carrier:
    """Its carrier, behaving as usual."""
    return system.carrier


@pytest.fixture
def phone(carrier: Carrier) -> Phone:
    """A phone that nobody had before."""
    return carrier.phone()
