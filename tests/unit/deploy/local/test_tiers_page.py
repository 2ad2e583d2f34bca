"""docs/reference/tiers.md is written from the tiers' files: what each nine costs in processes and settings."""

import itertools
import os
from collections.abc import Iterator
from typing import Final

from deploy.local import tiers
from tests.unit.test_tidy import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "reference" / "tiers.md"
HEAD: Final = """\
# Tiers

One code base; a tier is a file of [deploy/tiers/](../../deploy/tiers), chosen with `TIER=name make up`. This page is
written from those files: `RINGBACK_WRITE_DOCS=1 .venv/bin/python -m pytest tests/unit/deploy/local/test_tiers_page.py`
writes it anew. What the keys of a file mean is said in [durable.toml](../../deploy/tiers/durable.toml). The data of one
tier is kept apart from another's by `RINGBACK_HOME`; [Run a tier](../howto/run-a-tier.md) says what may share it.

"""


def page() -> str:
    ladder = [tiers.read(name) for name in tiers.LADDER if name in tiers.names()]
    lines = ["| tier | adds | survives |", "|---|---|---|"]
    lines += [f"| [`{one.name}`](../../deploy/tiers/{one.name}.toml) | {one.adds} | {one.survives} |" for one in ladder]
    lines += ["", "## Processes", ""]
    kinds = list(dict.fromkeys(kind.name for tier in ladder for kind in tier.kinds))
    lines += [f"| | {' | '.join(f'`{one.name}`' for one in ladder)} |", "|---" * (len(ladder) + 1) + "|"]
    lines += [f"| {kind} | {' | '.join(str(one.count(kind) or '-') for one in ladder)} |" for kind in kinds]
    for below, above in itertools.pairwise(ladder):
        lines += ["", f"## From {below.name} to {above.name}", "", *differences(below, above)]
    return HEAD + "\n".join(lines) + "\n"


def differences(below: tiers.Tier, above: tiers.Tier) -> Iterator[str]:
    """The rows of a table: what stands in one file and not in the other, or differently."""
    before, after = described(below), described(above)
    yield f"| | `{below.name}` | `{above.name}` |"
    yield "|---|---|---|"
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield f"| {name} | {before.get(name, '-')} | {after.get(name, '-')} |"


def described(tier: tiers.Tier) -> dict[str, str]:
    """Everything that a tier's file says, flat."""
    said = {f"`{name}`": f"`{value}`" for name, value in tier.settings.items()}
    for kind in tier.kinds:
        said[kind.name] = str(kind.count)
        said |= {f"{kind.name}: `{name}`": f"`{value}`" for name, value in kind.settings.items()}
        if kind.command:
            said[f"{kind.name}: command"] = f"`{' '.join(kind.command)}`"
    return said


def test_every_tier_that_is_shipped_stands_on_the_ladder() -> None:
    assert set(tiers.names()) <= set(tiers.LADDER)


def test_the_page_says_what_the_files_say() -> None:
    if os.environ.get("RINGBACK_WRITE_DOCS"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "write it anew: RINGBACK_WRITE_DOCS=1"
