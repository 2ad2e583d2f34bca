"""pgBackRest, where it is installed: whether it knows the embedded Postgres.

`backup` does not use it: Debian 12's, the only one tried, is older than Postgres 18 and refuses to read its cluster.
What is asked here changes nothing: a stanza in a directory that is thrown away.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_ASK_SECONDS: Final = 20.0
_REFUSED: Final = 46  # "unexpected control version … is this version of PostgreSQL supported?"
OURS: Final = "pg_basebackup and an archive of the log: ./manage.py backup"


def told(data: Path) -> str:
    """Which way backups are made, in a sentence, and why it is not pgBackRest's."""
    program = shutil.which("pgbackrest")
    if program is None:
        return OURS
    version = _run(program, "version").stdout.strip() or "pgBackRest of an unknown version"
    if not (data / "global" / "pg_control").is_file():
        return f"{OURS}; {version} is installed, and not used"
    code = _stanza(program, data)
    if code == _REFUSED:
        return f"{OURS}; {version} is installed, and refuses this cluster: it does not know Postgres 18"
    if code == 0:
        return f"{OURS}; {version} is installed, and can read this cluster; it is not used yet"
    return f"{OURS}; {version} is installed, and cannot read this cluster (it ended with {code})"


def _stanza(program: str, data: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="ringback-pgbackrest-") as apart:
        words = ["--no-config", "--stanza=ringback", f"--pg1-path={data}", "--no-online", "--log-level-file=off"]
        words += [f"--repo1-path={apart}/repository", f"--lock-path={apart}/lock"]
        return _run(program, *words, "stanza-create").returncode


def _run(*words: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=_ASK_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return subprocess.CompletedProcess(words, returncode=-1, stdout="", stderr="")
