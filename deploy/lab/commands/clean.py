"""./manage.py lab clean: hours in which nothing is broken; whatever pages is a false page."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.lab import clean, subject
from deploy.local.home import Home

HELP: Final = "Hold a run in which nothing is broken, with low traffic, bursts and deploys, and count false pages."
PORT: Final = 8500


def add_arguments(parser: ArgumentParser) -> None:
    """How long, on what."""
    parser.add_argument("--minutes", type=float, default=120, help="how long (120)")
    parser.add_argument("--tier", default="durable", help="the rung that it runs on (durable)")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the system that is started (default: {PORT})")
    parser.add_argument("--report", help="a file that its figures are written to, as JSON")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Hold it on a system of its own; 1 where anything paged."""
    with subject.running(tier=options["tier"], port=options["port"], settings=clean.USUAL) as tried:
        found = clean.Run(tried, say=_say).run(minutes=options["minutes"])
    told = json.dumps(clean.told_of(found), indent=1) + "\n"
    if options["report"]:
        Path(options["report"]).write_text(told)
    print(told)
    return 1 if found.pages else 0


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
