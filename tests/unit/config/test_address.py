"""A database's address: one server or several, as libpq reads it."""

import pytest

from config import address
from config.environment import SettingInvalid


def test_it_reads_one_server() -> None:
    found = address.parse("DATABASE_URL", "postgresql://me:p%40ss@db:5433/ring%20back?sslmode=require")
    assert (found.user, found.password, found.hosts, found.ports) == ("me", "p@ss", "db", "5433")
    assert (found.name, found.options) == ("ring back", {"sslmode": "require"})


def test_it_reads_several_servers_and_wants_the_one_that_takes_writes() -> None:
    found = address.parse("DATABASE_URL", "postgresql://me:p@a:1,b:2,[::1]:3/ringback?connect_timeout=2")
    assert (found.hosts, found.ports) == ("a,b,::1", "1,2,3")
    assert found.options == {"connect_timeout": "2", "target_session_attrs": "read-write"}


def test_it_keeps_another_wish() -> None:
    found = address.parse("X", "postgres://me@a,b:2/r?target_session_attrs=prefer-standby")
    assert (found.hosts, found.ports, found.password) == ("a,b", ",2", "")
    assert found.options == {"target_session_attrs": "prefer-standby"}


@pytest.mark.parametrize("alone", ["db", "[::1]", ""])
def test_it_names_no_port_where_none_is_named(alone: str) -> None:
    found = address.parse("X", f"postgresql://me@{alone}/r")
    assert (found.hosts, found.ports, found.options) == (alone.strip("[]"), "", {})


@pytest.mark.parametrize(
    ("url", "words"), [("mysql://db/r", "MY_URL must start with postgresql"), ("postgresql://db:http/r", "'http'")]
)
def test_it_refuses_what_it_cannot_read_by_name(url: str, words: str) -> None:
    with pytest.raises(SettingInvalid, match=words):
        address.parse("MY_URL", url)
