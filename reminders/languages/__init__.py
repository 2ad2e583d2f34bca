"""The languages that people are understood and answered in: one data file each, `<code>.toml`.

How to add one: docs/howto/add-a-language.md. Nothing here is code about any one language.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

DEFAULT: Final = "en"
FOLDER: Final = Path(__file__).parent


@lru_cache(maxsize=1)
def codes() -> tuple[str, ...]:
    """The languages there are, English first: where two languages share a word, the earlier one wins."""
    found = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return (DEFAULT, *(code for code in found if code != DEFAULT))


@lru_cache(maxsize=32)
def table(code: str) -> dict[str, Any]:
    """A language's file; an unknown language reads as English."""
    if code not in codes():
        return table(DEFAULT)
    return tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8"))
