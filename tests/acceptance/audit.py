"""`./manage.py audit` after what a test did."""

import json
import subprocess
import sys
from functools import cache
from typing import Any

from tests.acceptance.system import REPOSITORY, System


def clean(system: System) -> None:
    """AssertionError with the breaks, where a promise is broken or could not be checked."""
    if not _exists():
        assert system.oracle.breaks() == []
        return
    done = system.manage("audit", "--json")
    assert done.returncode in (0, 1, 2), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    broken = [promise for promise in found["promises"] if promise["ok"] is False]
    assert broken == [], json.dumps(broken, indent=1)
    assert done.returncode == 0, done.stdout


@cache
def _exists() -> bool:
    commands = subprocess.run(
        [sys.executable, "manage.py", "help", "--commands"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return "audit" in commands.stdout.split()
