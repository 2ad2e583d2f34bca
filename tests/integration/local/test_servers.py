"""The tests' own servers, and that the application's role owns nothing there either."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from deploy.local import platform, postgres, redis
from deploy.local.problems import CannotStartError
from tests import servers

REPOSITORY = Path(__file__).resolve().parents[3]


def build(database: servers.Database) -> None:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("CREATE TABLE kept (id bigserial PRIMARY KEY, word text)")


def test_it_clones_a_template_for_each_test() -> None:
    running = servers.running()
    running.template("tried", build)
    first, second = running.clone("tried"), running.clone("tried")
    with psycopg.connect(first.app_url) as connection:
        connection.execute("INSERT INTO kept (word) VALUES ('first')")
    with psycopg.connect(second.app_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    first.drop()
    second.drop()


@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE kept", "DROP TABLE kept", "CREATE TABLE mine ()", "ALTER TABLE kept DISABLE TRIGGER ALL"],
)
def test_the_applications_role_owns_nothing(statement: str) -> None:
    running = servers.running()
    running.template("tried", build)
    database = running.clone("tried")
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        psycopg.connect(database.app_url) as connection,
    ):
        connection.execute(statement)
    database.drop()


def test_it_bounds_what_the_applications_role_may_take() -> None:
    with psycopg.connect(servers.running().database("ringback").app_url) as connection:
        found = connection.execute(
            "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
            " current_setting('idle_in_transaction_session_timeout'), current_setting('TimeZone'),"
            " current_setting('data_checksums')"
        ).fetchone()
    assert found == ("5s", "2s", "10s", "UTC", "on")


def test_nobody_gets_in_without_a_password() -> None:
    running = servers.running()
    for role in (postgres.SUPERUSER, postgres.OWNER, postgres.APPLICATION):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgresql://{role}@127.0.0.1:{running.postgres_port}/ringback")
    assert redis.answers(port=running.redis_port, password=running.redis_password)
    assert not redis.answers(port=running.redis_port, password="guessed")


def test_they_end_with_the_last_who_uses_them() -> None:
    script = "from tests import servers; print(servers.running().directory)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_TESTRUNUID"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    directory = Path(done.stdout.strip())
    for _ in range(3000):
        if not directory.exists():
            return
        subprocess.run(["sleep", "0.02"], check=True)
    raise AssertionError(f"{directory} is still there")


@pytest.mark.skipif(os.getuid() != 0, reason="only root has to become somebody else")
def test_postgres_runs_as_another_user_where_namespaces_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "can_leave_root", lambda: False)
    monkeypatch.setattr(postgres, "binary", lambda _: Path("/bin/true"))
    postgres.identity.cache_clear()
    who = postgres.identity()
    assert who.uid
    assert who.extra_groups == []
    hidden = tmp_path / "postgres"
    hidden.write_text("#!/bin/sh\n")
    hidden.chmod(0o700)
    monkeypatch.setattr(postgres, "binary", lambda _: hidden)
    postgres.identity.cache_clear()
    with pytest.raises(CannotStartError, match="as an ordinary user, or put this directory where everyone"):
        postgres.identity()
    postgres.identity.cache_clear()
