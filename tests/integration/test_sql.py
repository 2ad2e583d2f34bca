"""Every named statement is understood by Postgres, says what it does and what it locks, and is used."""

import re
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
PACKAGES: Final = ("billing", "reminders")
FILES: Final = tuple(sorted(path for package in PACKAGES for path in (REPOSITORY / package / "sql").glob("*.sql")))
PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
LOCKS: Final = re.compile(r"\block", re.IGNORECASE)


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.stem}"


def _numbered(text: str) -> str:
    """The statement with $1, $2 … for its named parameters, as it is bound on the server."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return PLACEHOLDER.sub(number, text).replace("%%", "%")


@pytest.fixture(scope="module")
def python() -> str:
    """Everything that may name a statement."""
    sources = (path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))
    return "\n".join(path.read_text() for path in sources if "migrations" not in path.parts)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_it_says_first_what_it_does_and_what_it_locks(path: Path) -> None:
    comment = []
    for line in path.read_text().splitlines():
        if not line.startswith("--"):
            break
        comment.append(line)
    assert comment, "begins with no comment"
    assert LOCKS.search(" ".join(comment)), "does not say what it locks, or that it locks nothing"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_it_is_used(path: Path, python: str) -> None:
    whole = f'"{path.stem}"' in python
    # Families are run by their prefix: f"claim_{name}", f"audit_{…}".
    prefixes = (f'f"{path.stem[:length]}{{' in python for length in range(4, len(path.stem)))
    assert whole or any(prefixes) or _in_family(path, python), "no stage runs it"


def test_it_is_understood_by_postgres(owner: psycopg.Connection[tuple[Any, ...]]) -> None:
    refused = {}
    for path in FILES:
        try:
            owner.execute(f"PREPARE one AS {_numbered(path.read_text())}".encode())
            owner.execute("DEALLOCATE one")
        except psycopg.Error as error:
            refused[_name(path)] = str(error).splitlines()[0]
    assert refused == {}


def _in_family(path: Path, python: str) -> bool:
    """Named by a list of its family's members, such as the checks of the audit."""
    family, _, member = path.stem.partition("_")
    return len(member) > 3 and f'"{member}"' in python and family in python
