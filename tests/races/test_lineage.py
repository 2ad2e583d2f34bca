"""A release meets who declares a loss, a dispatcher meets a quarantine; each guard, and the same with it off."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection

from reminders import dispatch, lineage, tasks, witness
from reminders.lineage import Quarantined, Standing, Witness
from reminders.management.commands import dispatch as command
from tests import servers
from tests.races.interleaving import interleave
from tests.world.world import World

AHEAD: Final = 1_000  # of every number that was acknowledged here


@pytest.fixture
def raw(database: servers.Database) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.app_url, autocommit=True) as made:
        yield made


def ahead(world: World) -> Witness:
    """A witness that was told of more than this database has."""
    ((token,),) = world.rows("SELECT token FROM reminders_lineage")
    return Witness(id=UUID(int=7), born=token, lineage=token, number=AHEAD)


def kinds(world: World) -> list[str]:
    return [kind for (kind,) in world.rows("SELECT kind FROM reminders_lineage ORDER BY position")]


def _released_while_it_is_declared(world: World, raw: "psycopg.Connection[Any]") -> Standing:
    one = ahead(world)
    _, found = interleave(
        world,
        lambda: lineage.release(witnesses=[one]),
        lambda: lineage.check(raw=raw, witnesses=[one]),
    )
    return found


def test_a_release_is_not_taken_back_by_who_looked_before_it(world: World, raw: "psycopg.Connection[Any]") -> None:
    assert _released_while_it_is_declared(world, raw).ahead == 0
    assert kinds(world) == ["begun", "released"]


def test_negative_control_without_the_lock_it_is_closed_again(
    world: World, raw: "psycopg.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lineage.statements._texts, "lineage_lock", b"SELECT 1")
    with pytest.raises(Quarantined):
        _released_while_it_is_declared(world, raw)
    assert kinds(world) == ["begun", "released", "lost"]


@pytest.fixture
def claimer(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[dispatch.Claimer]:
    """A dispatcher that runs, with something due, in a database that another host has just found to lack something."""
    settings.RINGBACK_HOME, settings.RINGBACK_INSTANCE = tmp_path, "dispatch-1"
    monkeypatch.setattr(witness, "_own", witness._Own(is_watching=True))
    monkeypatch.setattr(tasks, "waiting", lambda: 0)
    monkeypatch.setattr(tasks, "knock", lambda *_: None)
    world.text("+12025550101", "Remind in 1 minute about tea")
    world.clock.step(120)
    connection.ensure_connection()
    witness.turn(connection.connection)
    witness._own.moved_at = float("-inf")
    world.see.execute("INSERT INTO reminders_lineage (kind) VALUES ('lost')")
    yield world._claimer()
    connection.close()


def claimed(world: World) -> int:
    return len(world.rows("SELECT FROM reminders_timer WHERE kind = 'ring' AND token IS NOT NULL"))


def test_a_dispatcher_claims_nothing_once_another_host_has_declared_it(world: World, claimer: dispatch.Claimer) -> None:
    with pytest.raises(Quarantined):
        command._turn(claimer)
    assert claimed(world) == 0


def test_negative_control_without_its_turn_it_claims(
    world: World, claimer: dispatch.Claimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness, "turn", lambda _: None)
    command._turn(claimer)
    assert claimed(world) == 1
