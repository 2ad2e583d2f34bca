"""What `doctor` says of pgBackRest: by what the program itself answers."""

from pathlib import Path

import pytest

from deploy.local import pgbackrest

SAYS = {
    46: "refuses this cluster: it does not know Postgres 18",
    0: "can read this cluster; it is not used yet",
    37: "cannot read this cluster (it ended with 37)",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data" / "global").mkdir(parents=True)
    (tmp_path / "data" / "global" / "pg_control").write_bytes(b"")
    return tmp_path / "data"


def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, code: int) -> None:
    """A program of that name, which answers so."""
    program = tmp_path / "bin" / "pgbackrest"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo "pgBackRest 2.45" && exit 0\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_it_says_nothing_of_what_is_not_installed(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pgbackrest.told(data) == pgbackrest.OURS


@pytest.mark.parametrize("code", sorted(SAYS))
def test_it_says_what_the_program_makes_of_this_cluster(
    code: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch, code=code)
    assert pgbackrest.told(data) == f"{pgbackrest.OURS}; pgBackRest 2.45 is installed, and {SAYS[code]}"


def test_where_there_is_no_cluster_yet_it_asks_for_the_version_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch, code=1)
    said = pgbackrest.told(tmp_path / "none")
    assert said == f"{pgbackrest.OURS}; pgBackRest 2.45 is installed, and not used"
