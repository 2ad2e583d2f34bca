"""The file of a witness: replaced at once, kept apart from a neighbour's, and worth nothing where it does not read."""

import errno
import json
import os
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import LazySettings

from reminders import limits, witness
from reminders.lineage import Witness

BORN = UUID(int=1)


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch, settings: LazySettings, tmp_path: Path) -> None:
    settings.RINGBACK_HOME, settings.RINGBACK_INSTANCE = tmp_path, "web-1"
    monkeypatch.setattr(witness, "_own", witness._Own(is_watching=True))


def one(number: int, *, id: int = 7) -> Witness:  # noqa: A002
    return Witness(id=UUID(int=id), born=BORN, lineage=BORN, number=number)


def test_it_knows_nothing_in_a_new_data_directory() -> None:
    assert witness.told() == []


def test_it_keeps_the_last_number_and_leaves_no_other_file(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        witness._keep(one(number))
    assert witness.told() == [one(3)]
    assert [file.name for file in (tmp_path / "witness").iterdir()] == ["web-1.json"]


def test_it_reads_its_neighbours_too(settings: LazySettings) -> None:
    witness._keep(one(1))
    settings.RINGBACK_INSTANCE = "dispatch-1"
    witness._keep(one(5, id=8))
    assert sorted(found.number for found in witness.told()) == [1, 5]


def test_what_it_was_told_counts_where_the_disk_took_nothing() -> None:
    witness._keep(one(1))
    witness._own.witness = one(4)
    assert witness.told() == [one(4)]


@pytest.mark.parametrize("torn", ["", "{", '{"id": "x"}', "[]", "null", json.dumps({"id": str(BORN)})])
def test_a_file_that_does_not_read_is_no_witness(torn: str, tmp_path: Path) -> None:
    witness._keep(one(1))
    (tmp_path / "witness" / "web-2.json").write_text(torn)
    assert witness.told() == [one(1)]


def test_it_leaves_nothing_behind_on_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    witness._keep(one(1))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for number in (2, 3):
        witness._keep(one(number))
    assert [file.name for file in (tmp_path / "witness").iterdir()] == ["web-1.json"]
    assert witness.told() == [one(1)]


def test_a_directory_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "witness").write_text("in the way")
    witness._keep(one(1))
    assert witness.told() == []


def test_it_reads_a_bounded_number_of_files(tmp_path: Path) -> None:
    witness._keep(one(1))
    text = (tmp_path / "witness" / "web-1.json").read_text()
    for number in range(limits.WITNESSES_MAX + 5):
        words = json.loads(text) | {"id": str(UUID(int=100 + number))}
        (tmp_path / "witness" / f"w-{number}.json").write_text(json.dumps(words))
    assert len(witness.told()) == limits.WITNESSES_MAX
