"""The migrations: none is missing, and none locks more than it must."""

import io
import subprocess
from pathlib import Path
from typing import Final

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

REPOSITORY: Final = Path(__file__).resolve().parents[2]
SQUAWK: Final = REPOSITORY / ".venv" / "bin" / "squawk"
OLDEST_POSTGRES: Final = "15"
NOT_ASKED_FOR: Final = (
    "prefer-bigint-over-int",  # counters of one reminder or person
    "prefer-bigint-over-smallint",  # buckets, segments
    "prefer-text-field",  # a bound on a text is meant where it stands
    "require-lock-timeout",  # every connection of ours sets both (config/settings.py)
    "require-statement-timeout",
)
MIGRATIONS: Final = sorted(
    (app, path.stem) for app in ("billing", "reminders") for path in (REPOSITORY / app / "migrations").glob("0*.py")
)


@pytest.mark.usefixtures("database")
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.usefixtures("database")
def test_every_migration_is_one_line_of_history() -> None:
    loader = MigrationLoader(connection)
    assert {app: len(leaves) for app in ("billing", "reminders") if (leaves := loader.graph.leaf_nodes(app))} == {
        "billing": 1,
        "reminders": 1,
    }


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("app", "name"), MIGRATIONS)
def test_no_migration_locks_more_than_it_must(app: str, name: str) -> None:
    if not SQUAWK.exists():
        pytest.skip("squawk is not installed: run `make test` once")
    sql = io.StringIO()
    call_command("sqlmigrate", app, name, stdout=sql, no_color=True)
    command = [
        str(SQUAWK),
        "--pg-version",
        OLDEST_POSTGRES,
        "--exclude",
        ",".join(NOT_ASKED_FOR),
        "--no-assume-in-transaction",
    ]
    judged = subprocess.run(command, input=sql.getvalue(), capture_output=True, text=True, timeout=60, check=False)
    assert judged.returncode == 0, judged.stdout
