"""manage.py where nothing runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers

REPOSITORY = Path(__file__).resolve().parents[3]


def manage(*words: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    gone = ("DATABASE_URL", "REDIS_URL", "RINGBACK_OWNER_DATABASE_URL", "RINGBACK_INSTANCE")
    environment = {name: value for name, value in os.environ.items() if name not in gone} | settings
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=REPOSITORY,
        env={**environment, "RINGBACK_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_help_explains_our_commands_and_leaves_out_djangos(tmp_path: Path) -> None:
    said = manage("help", home=tmp_path).stdout
    for name in ("alerts", "audit", "doctor", "lab", "settings", "statement", "trace", "up"):
        assert re.search(rf"^{name} +[A-Z]", said, re.MULTILINE), name
    assert "sqlsequencereset" not in said
    assert max(map(len, said.splitlines())) <= 80
    assert manage(home=tmp_path).stdout == said


def test_it_says_in_one_sentence_that_nothing_runs(tmp_path: Path) -> None:
    # A port where nothing listens, as after a stop: the discard service of nobody.
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "env").write_text("DATABASE_URL=postgresql://nobody:x@127.0.0.1:9/none\n")
    done = manage("showmigrations", home=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "The database does not answer: look at the terminal of `make up`, or ask `./manage.py doctor`."
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "tier", "says"),
    [
        (("trace", "+12025550123"), "naive", "The tier naive keeps nothing that this command could show: "),
        (("audit",), "durable", "The database has no tables of Ringback's: `make up` makes them."),
    ],
)
def test_it_says_in_one_sentence_that_the_database_has_no_tables_of_ours(
    words: tuple[str, ...], tier: str, says: str, tmp_path: Path
) -> None:
    """As on the tier naive, whose tables are its own."""
    empty = servers.running().empty()
    try:
        done = manage(*words, home=tmp_path, DATABASE_URL=empty.app_url, RINGBACK_TIER=tier)
    finally:
        empty.drop()
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith(says)
