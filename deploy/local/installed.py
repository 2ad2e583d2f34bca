"""What only some machines have, and everybody can do without: whether it runs here (auto, 0 or 1)."""

import re
import subprocess
from collections.abc import Callable
from typing import Final

from deploy.local.problems import CannotStartError

AUTO, OFF, ON = "auto", "0", "1"
_VERSION: Final = re.compile(r"version:? (\d+)\.(\d+)\.", re.IGNORECASE)


def is_wanted(*, setting: str, asked: str, lack: Callable[[], str]) -> bool:
    """Whether it runs here: where it can (auto), never (0), or always (1).

    `lack` says why it cannot, empty where it can. Raises CannotStartError where it must and cannot, or at another word.
    """
    if asked not in (AUTO, OFF, ON):
        raise CannotStartError(f"{setting} must be {AUTO}, {OFF} or {ON}, not {asked!r}.", code=2)
    if asked == OFF:
        return False
    missing = lack()
    if missing and asked == ON:
        raise CannotStartError(f"{setting}=1, but {missing}.", code=2)
    return not missing


def version(program: str) -> tuple[int, int]:
    """What `program --version` says, of its first two numbers; (0, 0) where it says nothing."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = _VERSION.search(done.stdout + done.stderr)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def told(number: tuple[int, int]) -> str:
    """A version as people write it."""
    return ".".join(map(str, number))
