"""`python -m tests.fuzz --texts 1000000 --seed 1 [--out FILE]`: exit 1 where a text raised, was slow, or lied."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.fuzz.running import SLOW_SECONDS, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    asked = parser.parse_args()
    found = run(texts=asked.texts, seed=asked.seed)
    figures = {"seed": asked.seed, **asdict(found), "slow_seconds": SLOW_SECONDS}
    written = json.dumps(figures, indent=1)
    if asked.out:
        asked.out.write_text(written, "ascii")
    sys.stdout.write(written + "\n")
    return 1 if found.raised or found.wrong or found.slow else 0


sys.exit(main())
