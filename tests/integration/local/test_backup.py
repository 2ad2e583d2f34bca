"""Back up, lose, restore to a moment, twice: exact counts, and in quarantine."""

import shutil
import signal
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from deploy.local import archive, backup, pgbackrest, postgres, records, settings, unarchive
from deploy.local.home import Home, write_environment
from deploy.local.ports import Ports, free_port
from deploy.local.problems import CannotStartError
from tests.acceptance.waiting import until

PATIENCE_SECONDS = 120.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(root=tmp_path / "home")
    tmp_path.chmod(0o711)
    home.make()
    postgres.create(home.postgres, passwords=settings.passwords(home))
    return home


@contextmanager
def serving(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ports]:
    """The server as `up` runs it, and what `up` writes beside it."""
    who, ports = postgres.identity(), Ports(web=free_port() - 20)
    command = postgres.server(
        home.postgres, port=ports.postgres, dies_with_parent=signal.SIGQUIT, **archive.settings(home.archive)
    )
    server = subprocess.Popen(
        command,
        cwd=home.postgres,
        stderr=subprocess.DEVNULL,
        user=who.uid,
        group=who.gid,
        extra_groups=who.extra_groups,
    )
    try:
        until(lambda: postgres.is_ready(home.postgres, pid=server.pid), seconds=PATIENCE_SECONDS, what="it serves")
        write_environment(home.run / "env", {"RINGBACK_CARRIER_PORT": str(ports.carrier)})
        with monkeypatch.context() as patched:
            patched.setattr(records, "supervisor", lambda _: 1)
            yield ports
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(PATIENCE_SECONDS)


def address(home: Home, ports: Ports, role: str) -> str:
    made = settings.passwords(home)
    words = {postgres.OWNER: made.owner, postgres.APPLICATION: made.app, postgres.SUPERUSER: made.superuser}
    return postgres.url(role, words[role], port=ports.postgres)


def count(home: Home, ports: Ports) -> int:
    with psycopg.connect(address(home, ports, postgres.OWNER)) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def moment(connection: "psycopg.Connection[object]") -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert isinstance(row, tuple)
    found = row[0]
    assert isinstance(found, datetime)
    return found


def test_it_restores_a_moment_twice_and_keeps_the_application_out(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(home, monkeypatch) as ports:
        with psycopg.connect(address(home, ports, postgres.OWNER), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (id int PRIMARY KEY)")
            connection.execute("INSERT INTO kept SELECT generate_series(1, 100)")
            made = backup.backup(home)
            assert (made / "backup_manifest").is_file()
            connection.execute("INSERT INTO kept SELECT generate_series(101, 250)")
            to = moment(connection)
            connection.execute("DELETE FROM kept")
        assert count(home, ports) == 0
    with pytest.raises(CannotStartError, match="did not recover"):
        backup.restore(home, to=datetime.now(UTC) + timedelta(hours=1), port=free_port())  # the log does not reach it
    assert backup.restored(home) is None, "what was there is there still, and in no quarantine"
    for _ in range(2):
        seconds = backup.restore(home, to=to, port=free_port())
        assert seconds > 0
        restored = backup.restored(home)
        assert restored is not None and restored.to == to
        with serving(home, monkeypatch) as ports:
            assert count(home, ports) == 250
            with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
                psycopg.connect(address(home, ports, postgres.APPLICATION))
            with psycopg.connect(address(home, ports, postgres.OWNER), autocommit=True) as connection:
                connection.execute("INSERT INTO kept VALUES (1000)")  # what a second restore must not see
    with serving(home, monkeypatch) as ports:
        backup.release(home, url=address(home, ports, postgres.SUPERUSER))
        psycopg.connect(address(home, ports, postgres.APPLICATION)).close()
    assert backup.restored(home) is None
    assert len(list(home.postgres.parent.glob("data.before-*"))) == 2


def test_it_refuses_a_moment_before_every_backup_and_what_runs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotStartError, match="No base backup is as old"):
        backup.restore(home, to=datetime.now(UTC) - timedelta(days=1), port=free_port())
    assert home.postgres.is_dir()
    with pytest.raises(CannotStartError, match="Nothing runs"):
        backup.backup(home)
    monkeypatch.setattr(records, "supervisor", lambda _: 1)
    with pytest.raises(CannotStartError, match="It runs"):
        backup.restore(home, to=datetime.now(UTC), port=free_port())


@pytest.mark.skipif(not shutil.which("pgbackrest"), reason="pgbackrest is missing: install Debian's pgbackrest")
def test_a_real_pgbackrest_is_asked_about_a_real_cluster_and_changes_nothing(home: Home) -> None:
    before = sorted(home.root.rglob("*"))
    said = pgbackrest.told(home.postgres)
    assert "pgBackRest 2." in said
    assert ("it does not know Postgres 18" in said) != ("can read this cluster" in said), said
    assert sorted(home.root.rglob("*")) == before


def test_it_archives_once_and_never_other_content_under_one_name(tmp_path: Path) -> None:
    segment, directory, back = tmp_path / "segment", tmp_path / "archive", tmp_path / "back"
    segment.write_bytes(b"log" * 1000)
    assert archive.put(segment, directory, "01") == 0
    assert not directory.exists()  # there is no base backup to start from
    directory.mkdir()
    assert [archive.put(segment, directory, "01") for _ in range(2)] == [0, 0]
    segment.write_bytes(b"other")
    assert archive.put(segment, directory, "01") == 1
    assert zlib.decompress((directory / "01.z").read_bytes()) == b"log" * 1000
    assert unarchive.get("01", str(back), [str(tmp_path / "none"), str(directory)]) == 0
    assert back.read_bytes() == b"log" * 1000
    assert unarchive.get("02", str(back), [str(directory)]) == 1
