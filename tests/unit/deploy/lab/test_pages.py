"""The fault files and their pages: complete, named alike, and up to date."""

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import pytest

from deploy.lab import faults, pages
from deploy.lab.faults import Fault
from deploy.lab.injection import machine
from deploy.lab.injection.fault import CLASSES
from deploy.local.home import Home

CATALOGUE: Final = faults.catalogue()
# The kinds of target that a fault may name.
KINDS: Final = (
    "web-1",
    "dispatch-1",
    "worker-1",
    "watch",
    "prometheus",
    "redis",
    "postgres-1",
    "carrier",
    "proxy",
    "machine",
    "a-1→b-1",
)


def test_every_class_has_its_faults_and_there_are_more_than_thirty() -> None:
    assert len(CATALOGUE) >= 30
    assert {fault.fault_class for fault in CATALOGUE} == set(CLASSES)


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_every_fault_says_what_it_is(fault: Fault) -> None:
    place = Path(faults.__file__).parent / f"{fault.name.replace('-', '_')}.py"
    assert place.is_file()
    for words in (fault.imitates, fault.blast_radius, fault.shows, fault.undone):
        assert words
    assert fault.ways
    assert not {"target", "seconds", "way", "kept"} & set(fault.options), "inject() has words of its own"
    assert len({way.name for way in fault.ways}) == len(fault.ways)
    needs = {*fault.needs, *(need for way in fault.ways for need in way.needs)}
    assert needs <= {*machine._OF_THE_MACHINE, *machine._OF_THE_SYSTEM}
    assert all(any(fnmatchcase(kind, target) or "→" in target for kind in KINDS) for target in fault.targets)


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_every_fault_says_why_it_cannot_be_injected_where_nothing_runs(fault: Fault, tmp_path: Path) -> None:
    home = Home(root=tmp_path)
    home.make()
    lack = "Ringback does not run here: start it with `RINGBACK_LAB=1 make up`, then break it."
    assert faults.missing(home, fault.name) == lack


def test_the_pages_are_up_to_date() -> None:
    if os.environ.get("RINGBACK_WRITE_DOCS"):
        pages.write()
    wanted = pages.pages()
    assert {place.name for place in pages.DIRECTORY.glob("*.md")} == set(wanted)
    stale = [name for name, text in wanted.items() if (pages.DIRECTORY / name).read_text() != text]
    assert stale == [], "write them anew: RINGBACK_WRITE_DOCS=1"


def test_no_fault_that_was_tried_failed() -> None:
    tried = [one for found in pages.read_measured().values() for one in found]
    assert [one["fault"] for one in tried if one["verdict"] == "failed"] == []
