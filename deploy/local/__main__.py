"""`python -m deploy.local up|down|reset|doctor`: the same as `./manage.py`'s commands, without Django.

The supervisor lives as long as the system does; without Django it is a third of the size.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime

from deploy.local.problems import CannotStartError


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    words = _parser().parse_args(arguments)
    try:
        return _run(words)
    except CannotStartError as problem:
        sys.stdout.flush()
        print(f"ringback: {problem}", file=sys.stderr)
        return problem.code
    except KeyboardInterrupt:
        return 130


def _run(words: argparse.Namespace) -> int:
    command: str = words.command
    match command:
        case "up":
            from deploy.local.up import up

            lab = {"RINGBACK_LAB": "1"} if words.lab else {}
            return up(tier=str(words.tier), port=words.port, environ={**os.environ, **lab})
        case "down":
            from deploy.local.down import down

            return down()
        case "backup":
            from deploy.local.backup import backup
            from deploy.local.home import home

            print(f"Made and verified: {backup(home())}")
            return 0
        case "restore":
            return _restore(str(words.to))
        case "reset":
            from deploy.local.down import reset

            return reset(sure=words.yes)
        case _:
            from deploy.local.doctor import doctor

            return doctor(as_json=bool(words.json))


def _restore(moment: str) -> int:
    from deploy.local.backup import restore
    from deploy.local.home import home
    from deploy.local.ports import free_port

    try:
        to = datetime.fromisoformat(moment)
    except ValueError:
        raise CannotStartError(f"--to must be a moment such as 2026-11-26T12:30:00+00:00, not {moment!r}.") from None
    if to.tzinfo is None:
        raise CannotStartError("--to must say its offset from UTC: 2026-11-26T12:30:00+00:00.", code=2)
    seconds = restore(home(), to=to, port=free_port())
    print(f"Restored to {to.isoformat()} ({seconds:.1f} s). It is in quarantine: texts are not taken, nothing rings.")
    print("Next: `make up`, then `./manage.py release`.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run the whole system in the foreground")
    up.add_argument("--tier", default=os.environ.get("TIER") or "durable")
    up.add_argument("--port", default=os.environ.get("PORT") or "8000")
    up.add_argument("--lab", action="store_true", help="with the fault proxy between every two processes")
    commands.add_parser("down", help="stop it")
    commands.add_parser("backup", help="make a base backup of what runs")
    restore = commands.add_parser("restore", help="bring the database back to a moment, in quarantine")
    restore.add_argument("--to", required=True, metavar="TIME", help="with its offset: 2026-11-26T12:30:00+00:00")
    reset = commands.add_parser("reset", help="stop it and delete its data")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    doctor = commands.add_parser("doctor", help="what is found, missing, running")
    doctor.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
