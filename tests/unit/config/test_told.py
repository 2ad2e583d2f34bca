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


@pytest.mark.parametrize(
    "written",
    [
        *({name: value for name, value in SAID.items() if name != gone} for gone in ("at", "alerts", "gauges")),
        SAID | {"at": "2026-03-02T09:30:00"},
        SAID | {"at": None},
        SAID | {"alerts": None},
        SAID | {"gauges": 3},
        [],
        None,
    ],
    ids=lambda written: json.dumps(written)[:40],
)
def test_whatever_is_in_the_file_it_is_read_as_nothing_told_at_worst(tmp_path: Path, written: object) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / told.ALERTS).write_text(json.dumps(written))
    found = told.read(home=tmp_path, at=NOW)
    assert (found["looks"], found["alerts"], found["gauges"]) == (False, [], {})
