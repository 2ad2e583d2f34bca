"""Whom a person in a hurry may end: who holds up others, strangers, and the old; never who only waits."""

from typing import Any

import pytest

from deploy.local import sessions


def session(name: str, *, seconds: float = 0.0, waits: bool = False, blocks: bool = False) -> dict[str, Any]:
    return {
        "pid": 1, "name": name, "role": "r", "state": "idle", "query": "SELECT 1", "seconds": seconds, "waits": waits,
        "blocks": blocks,
    }  # fmt: skip


FOUND = [
    session("psql", seconds=400, blocks=True),
    session("worker-1", seconds=3, waits=True, blocks=True),
    session("web-1", seconds=2, waits=True),
    session("", seconds=90),
    session("ringback"),
]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ({}, ["psql", "worker-1", "web-1", "", "ringback"]),
        ({"blocking": True}, ["psql"]),
        ({"strangers": True}, ["psql", ""]),
        ({"older_seconds": 300.0}, ["psql"]),
        ({"strangers": True, "older_seconds": 50.0}, ["psql", ""]),
    ],
)
def test_it_chooses_no_more_than_it_is_asked_for(choice: dict[str, Any], names: list[str]) -> None:
    asked: dict[str, Any] = {"blocking": False, "strangers": False, "older_seconds": None, **choice}
    found = sessions.chosen(FOUND, known={"ringback", "worker-1", "web-1"}, **asked)
    assert [one["name"] for one in found] == names


def test_it_counts_them_by_name_and_says_who_holds_up_others() -> None:
    said = sessions.shown(FOUND).splitlines()
    assert said[2].split()[:5] == ["1", "psql", "400", "s", "yes"]
    assert "waits itself" in said[3]
    assert said[-1].startswith("5 sessions: 1 of psql")


def test_it_fits_80_columns_and_keeps_the_whole_query() -> None:
    query = "SELECT id, subject FROM reminders_reminder"
    said = sessions.shown(
        [{**session("lab-proxy-session", seconds=86_400, waits=True), "pid": 4194304, "query": query}]
    )
    assert max(map(len, said.splitlines())) <= 80
    assert [word for word in query.split() if word not in said] == []
