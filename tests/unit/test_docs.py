"""The documents: what they promise is proved, what they link exists, what is generated is up to date."""

import os
import re
from pathlib import Path
from typing import Final

import pytest
from django.core.management import get_commands

import manage
from config.environment import Setting
from config.settings import environment
from deploy.lab.management.commands.lab import NAMES
from tests.unit.test_tidy import REPOSITORY, text_of, tracked

LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PROMISES: Final = tuple(f"P{number}" for number in range(1, 10))
SETTINGS: Final = "docs/reference/settings.md"
SETTINGS_HEAD: Final = """\
# Settings

Every setting that is read from the environment. This page is written from `config/settings.py`:
`RINGBACK_WRITE_DOCS=1 .venv/bin/python -m pytest tests/unit/test_docs.py` writes it anew.

A value is looked for in the environment (`NAME`), in a file whose path `NAME_FILE` names (for secrets), in
`$RINGBACK_HOME/run/env` (what `make up` wrote, so that a second terminal finds the running system), and else is the
default. `./manage.py settings` shows what each is now, and where that came from. Settings that could lose or repeat
work are refused at start ([config/checks.py](../../config/checks.py)).

| name | default | meaning |
|---|---|---|
| `RINGBACK_HOME` | `.ringback` in the repository | the data directory |
"""
# What depends on another setting, or is made by `make up`, is told in words.
TOLD: Final = {"RINGBACK_LOOKUP_HORIZON_SECONDS": "`17.5` (simulated carrier), `300` (else)"}


def settings_page() -> str:
    return SETTINGS_HEAD + "".join(_line(setting) for setting in environment.known.values())


def _line(setting: Setting) -> str:
    default = TOLD.get(setting.name) or (f"`{setting.default}`" if setting.default else "empty")
    secret = " Secret." if setting.secret else ""
    return f"| `{setting.name}` | {default} | {setting.meaning}.{secret} |\n"


def pages() -> list[str]:
    return [name for name in tracked() if name.endswith(".md")]


def test_every_setting_is_documented() -> None:
    if os.environ.get("RINGBACK_WRITE_DOCS"):
        (REPOSITORY / SETTINGS).write_text(settings_page())
    assert (REPOSITORY / SETTINGS).read_text() == settings_page(), "write it anew: RINGBACK_WRITE_DOCS=1"


@pytest.mark.parametrize("name", pages())
def test_every_link_leads_somewhere(name: str) -> None:
    broken = []
    for target in LINK.findall(text_of(name)):
        path, _, anchor = target.partition("#")
        if path.startswith(("http://", "https://", "mailto:")):
            continue
        found = (REPOSITORY / name).parent / path if path else REPOSITORY / name
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    """Page by page, or by a link to the folder that it lies in."""
    reached, waiting = {"README.md"}, ["README.md"]
    while waiting:
        page = waiting.pop()
        targets = {
            os.path.normpath(Path(page).parent / target.partition("#")[0]) for target in LINK.findall(text_of(page))
        }
        new = {name for name in pages() if name in targets or str(Path(name).parent) in targets} - reached
        reached |= new
        waiting += new
    assert sorted(set(pages()) - reached) == []


def test_every_command_stands_in_the_interface() -> None:
    text = text_of("docs/reference/interface.md").partition("## Commands")[2]
    ours = {name for name, app in get_commands().items() if str(app).startswith(manage.OURS)} - manage.RUN_BY_UP
    lab = {f"lab {name.rstrip('_').replace('_', '-')}" for name in NAMES}
    alone = set(re.findall(r"`([\w-]+)", text))  # `./manage.py lab status`, `heal`
    told = {name for name in ours | lab if f"`./manage.py {name}" in text or name.split()[-1] in alone}
    assert sorted((ours | lab) - told) == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_is_linked_to_its_proof(promise: str) -> None:
    rows = [line for line in text_of("README.md").splitlines() if line.startswith(f"| {promise} ")]
    assert len(rows) == 1, f"{promise} stands once in the table"
    proofs = [target for target in LINK.findall(rows[0]) if target.startswith(("tests/", "deploy/lab/"))]
    assert proofs, f"{promise} names no test or experiment"
    assert all((REPOSITORY / proof).is_file() for proof in proofs)


def test_every_decision_says_what_a_decision_says() -> None:
    decisions = [name for name in pages() if name.startswith("docs/decisions/")]
    headings = ("## Status", "## Context", "## Decision", "## Consequences")
    assert decisions
    assert [name for name in decisions if not all(heading in text_of(name) for heading in headings)] == []
    numbers = [Path(name).name[:4] for name in sorted(decisions)]
    assert len(numbers) == len(set(numbers)), "two decisions have one number"
