"""A database that was put back is known by its witnesses, closed until it is released, and by nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from reminders import lineage, witness
from reminders.lineage import Lost, Quarantined, Witness
from tests import servers

Raw = psycopg.Connection[Any]
KEPT: Final = ("reminders_lineage", "reminders_witness")


@pytest.fixture
def raw(database: servers.Database, settings: LazySettings, tmp_path: Path) -> Iterator[Raw]:
    """A connection as a process that serves has it, and a data directory of its own."""
    settings.RINGBACK_HOME = tmp_path
    be("dispatch-1", settings)
    with psycopg.connect(database.app_url, autocommit=True) as made:
        yield made


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "_own", witness._Own())


def be(instance: str, settings: LazySettings) -> None:
    """From now on this process is that one, which was just started."""
    settings.RINGBACK_INSTANCE = instance
    witness._own.__init__(is_watching=True)  # type: ignore[misc]  # as new


def turn(raw: Raw) -> int:
    """Its number moved once more."""
    witness._own.moved_at = float("-inf")
    witness.turn(raw)
    assert witness._own.witness is not None
    return witness._own.witness.number


def copied(owner: Raw) -> dict[str, list[tuple[Any, ...]]]:
    return {table: owner.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in KEPT}


def put_back(owner: Raw, copy: dict[str, list[tuple[Any, ...]]]) -> None:
    """As if the whole database had been put back."""
    for table, rows in copy.items():
        owner.execute(f"DELETE FROM {table}")
        for row in rows:
            owner.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)
    owner.execute("SELECT setval(pg_get_serial_sequence('reminders_lineage', 'position'), 1000)")


def lost() -> Lost | None:
    """What `./manage.py release` sees, which is no process that serves."""
    witness._own.is_watching = False
    try:
        return lineage.lost(witnesses=witness.told(), now=timezone.now())
    finally:
        witness._own.is_watching = True


def released() -> None:
    witness._own.is_watching = False
    lineage.release(witnesses=witness.told())
    connection.close()
    witness._own.is_watching = True


def kinds(owner: Raw) -> list[str]:
    return [kind for (kind,) in owner.execute("SELECT kind FROM reminders_lineage ORDER BY position").fetchall()]


def test_a_first_start_and_every_other_one_go_on(raw: Raw, settings: LazySettings) -> None:
    witness.look(raw)
    assert [turn(raw), turn(raw)] == [1, 2]
    be("dispatch-1", settings)
    witness.look(raw)
    assert turn(raw) == 3
    be("web-1", settings)
    assert turn(raw) == 1


def test_once_a_second_is_enough(raw: Raw) -> None:
    number = turn(raw)
    for _ in range(5):
        witness.turn(raw)
    assert witness._own.witness is not None
    assert witness._own.witness.number == number


def test_a_database_that_was_put_back_is_closed_to_everybody(raw: Raw, owner: Raw, settings: LazySettings) -> None:
    turn(raw)
    copy = copied(owner)
    ((reached,),) = owner.execute("SELECT moved_at FROM reminders_witness").fetchall()
    turn(raw)
    put_back(owner, copy)
    with pytest.raises(Quarantined):
        turn(raw)
    assert raw.closed
    assert kinds(owner) == ["begun", "lost"]
    settings.RINGBACK_HOME = Path(settings.RINGBACK_HOME) / "another host's"
    be("web-1", settings)
    with psycopg.connect(owner.info.dsn, password=owner.info.password, autocommit=True) as another:
        with pytest.raises(Quarantined):  # it knows nothing by itself
            witness.look(another)
        assert another.closed
    assert kinds(owner) == ["begun", "lost"], "declared once"
    found = lost()
    assert found is not None and found.reached_at == reached


def test_a_process_that_starts_is_told_by_its_neighbours_file(raw: Raw, owner: Raw, settings: LazySettings) -> None:
    turn(raw)
    copy = copied(owner)
    turn(raw)
    put_back(owner, copy)
    be("worker-1", settings)
    with pytest.raises(Quarantined):
        witness.look(raw)


def test_who_still_runs_is_told_by_the_next_turn(raw: Raw, owner: Raw) -> None:
    turn(raw)
    owner.execute("INSERT INTO reminders_lineage (kind) VALUES ('lost')")  # another host's
    with pytest.raises(Quarantined):
        turn(raw)


def test_a_commit_whose_answer_was_lost_is_no_quarantine(raw: Raw, owner: Raw, settings: LazySettings) -> None:
    turn(raw)
    owner.execute("UPDATE reminders_witness SET number = number + 1")
    be("dispatch-1", settings)
    witness.look(raw)
    assert turn(raw) == 3


def test_a_data_directory_that_was_copied_is_no_quarantine(raw: Raw, settings: LazySettings) -> None:
    turn(raw)
    (Path(settings.RINGBACK_HOME) / "witness").rename(Path(settings.RINGBACK_HOME) / "kept")
    be("dispatch-1", settings)
    turn(raw)
    (Path(settings.RINGBACK_HOME) / "kept").rename(Path(settings.RINGBACK_HOME) / "copy")
    (Path(settings.RINGBACK_HOME) / "copy" / "dispatch-1.json").replace(witness._file())  # an older one
    be("dispatch-1", settings)
    assert turn(raw) == 2, "of two that are called the same, both go on"


def test_it_is_open_again_after_the_release_and_a_second_loss_is_seen(
    raw: Raw, owner: Raw, database: servers.Database, settings: LazySettings
) -> None:
    turn(raw)
    copy = copied(owner)
    turn(raw)
    for _ in range(2):  # the second time the copy knows nothing of the first release
        put_back(owner, copy)
        be("dispatch-1", settings)
        with (
            psycopg.connect(database.app_url, autocommit=True) as again,
            pytest.raises(Quarantined),
        ):
            witness.look(again)
        assert lost() is not None
        released()
        assert lost() is None
        with psycopg.connect(database.app_url, autocommit=True) as again:
            witness.look(again)
            turn(again)
            turn(again)


def test_another_database_is_refused_and_not_closed_to_its_owners(raw: Raw, owner: Raw, settings: LazySettings) -> None:
    turn(raw)
    owner.execute("UPDATE reminders_lineage SET token = gen_random_uuid()")  # what an empty one has
    owner.execute("DELETE FROM reminders_witness")
    be("dispatch-1", settings)
    with pytest.raises(Quarantined, match="remove `witness`"):
        witness.look(raw)
    assert kinds(owner) == ["begun"]
    found = lost()
    assert found is not None and found.reached_at is None
    released()
    assert kinds(owner) == ["begun", "lost", "released"]


def test_a_database_without_these_tables_is_behind_every_witness(raw: Raw, owner: Raw, settings: LazySettings) -> None:
    owner.execute("DROP TABLE reminders_lineage, reminders_witness")
    witness.look(raw)
    file = witness._file()
    file.parent.mkdir()
    file.write_text(json.dumps({name: str(uuid4()) for name in ("id", "born", "lineage")} | {"number": 4}))
    with pytest.raises(Quarantined):
        witness.look(raw)


def test_nothing_is_compared_by_who_does_not_serve(raw: Raw, owner: Raw) -> None:
    turn(raw)
    owner.execute("DELETE FROM reminders_witness")
    witness._own.is_watching = False
    witness.look(raw)
    witness.turn(raw)


def test_a_release_where_nothing_was_lost_is_none(database: servers.Database) -> None:
    assert lineage.lost(witnesses=[], now=timezone.now()) is None
    unknown = Witness(id=UUID(int=1), born=UUID(int=2), lineage=UUID(int=3), number=1)
    assert lineage.lost(witnesses=[unknown], now=timezone.now()) is not None
    connection.close()
