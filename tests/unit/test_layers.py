"""The layers, as the linter sees them, and what keeps the linter honest."""

import ast
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from importlinter import cli

REPOSITORY: Final = Path(__file__).resolve().parents[2]
APPS: Final = ("deploy", "config", "reminders", "billing")
ROWS: Final = "carriers | metrics | models"
IMPURE: Final = {"django", "psycopg", "redis", "celery", "kombu", "aiohttp", "requests"}


def contracts() -> list[dict[str, Any]]:
    whole = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    found: list[dict[str, Any]] = whole["tool"]["importlinter"]["contracts"]
    return found


def test_every_import_goes_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS


def test_no_contract_ignores_an_import() -> None:
    assert [contract["id"] for contract in contracts() if any("ignore" in key for key in contract)] == []


def test_every_module_of_an_app_stands_in_a_layer() -> None:
    exhaustive = {name for contract in contracts() if contract.get("exhaustive") for name in contract["containers"]}
    assert exhaustive == {"reminders", "billing", "config"}
    assert contracts()[0]["layers"] == list(APPS)


def test_whatever_stands_below_the_rows_is_pure() -> None:
    layers = next(contract["layers"] for contract in contracts() if contract["id"] == "reminders")
    below = " | ".join(layers[layers.index(ROWS) + 1 :]).replace("(", "").replace(")", "").split(" | ")
    files = [file for name in below for file in (REPOSITORY / "reminders").glob(f"{name}.py")]
    files += [file for name in below for file in (REPOSITORY / "reminders" / name).rglob("*.py")]
    assert len(files) > len(below) / 2
    assert {file.name: found for file in files if (found := _imported(file) & IMPURE)} == {}


def _imported(file: Path) -> set[str]:
    """The packages that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.partition(".")[0] for name in plain | {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}}
