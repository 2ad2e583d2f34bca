"""What the watch says is replaced at once, or not at all."""

import errno
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from config.observing import told

NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SAID: Final[dict[str, Any]] = {
    "at": NOW.isoformat(),
    "by": "watch",
    "alerts": [],
    "gauges": {},
    "silent": [],
    "fired": {},
}


def test_it_leaves_what_was_told_and_nothing_else_on_a_disk_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    told.write(home=tmp_path, told=SAID)
    before = [file.name for file in (tmp_path / "run").iterdir()]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(json, "dump", full)
        for _ in range(2):
            with pytest.raises(OSError, match="no space left"):
                told.write(home=tmp_path, told=SAID | {"by": "nobody"})
    assert [file.name for file in (tmp_path / "run").iterdir()] == before
    assert told.read(home=tmp_path, at=NOW)["by"] == "watch"
