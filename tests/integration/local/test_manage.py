"""manage.py where nothing runs."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def test_it_says_in_one_sentence_that_nothing_runs(tmp_path: Path) -> None:
    gone = ("DATABASE_URL", "REDIS_URL", "RINGBACK_OWNER_DATABASE_URL", "RINGBACK_INSTANCE")
    environment = {name: value for name, value in os.environ.items() if name not in gone}
    # A port where nothing listens, as after a stop: the discard service of nobody.
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "env").write_text("DATABASE_URL=postgresql://nobody:x@127.0.0.1:9/none\n")
    done = subprocess.run(
        [sys.executable, "manage.py", "showmigrations"],
        cwd=REPOSITORY,
        env={**environment, "RINGBACK_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "The database does not answer: look at the terminal of `make up`, or ask `./manage.py doctor`."
    )
    assert "Traceback" not in done.stderr
