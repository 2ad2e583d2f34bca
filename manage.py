#!/usr/bin/env python3
"""Ringback's commands. `./manage.py help` lists them; `./manage.py up` runs the whole system."""

import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE / ".venv" / "bin" / "python"
SERVING = {"dispatch", "watch"}
OURS = ("config", "deploy", "reminders")
UNDEFINED_TABLE = "42P01"
RUN_BY_UP = {*SERVING, "prepare"}


def main() -> int:
    """Run a Django command; where the system that it needs does not run, say so and exit with 2."""
    if importlib.util.find_spec("django") is None:
        return _again_with_the_environment()
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    if sys.argv[1:] in ([], ["help"], ["-h"], ["--help"]):
        print(_help())
        return 0
    if "RINGBACK_INSTANCE" not in os.environ and not set(sys.argv[1:2]) & SERVING:
        os.environ.setdefault("RINGBACK_LOG_LEVEL", "ERROR")  # a person's command says it in one sentence instead
    try:
        execute_from_command_line(sys.argv)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as problem:
        sentence = _what_is_away(problem)
        if sentence is None:
            raise
        sys.stdout.flush()
        print(sentence, file=sys.stderr)
        return 2
    return 0


def _again_with_the_environment() -> int:
    if PYTHON.exists() and Path(sys.prefix) != PYTHON.parent.parent:
        os.execv(PYTHON, [str(PYTHON), str(HERE / "manage.py"), *sys.argv[1:]])  # noqa: S606
    print("Ringback is not installed here yet: run `make up` once.", file=sys.stderr)
    return 2


def _help() -> str:
    """Our commands, each with what it does; Django names its own beside them and explains none."""
    import django
    from django.core.management import get_commands, load_command_class

    from reminders.tables import Column, table

    django.setup()
    ours = {name: app for name, app in sorted(get_commands().items()) if str(app).startswith(OURS)}
    rows = [(name, load_command_class(str(app), name).help) for name, app in ours.items() if name not in RUN_BY_UP]
    return "\n".join([
        table(columns=[Column(title="command"), Column(title="what it does")], rows=rows),
        "",
        f"`make up` runs these by itself: {', '.join(sorted(RUN_BY_UP & set(ours)))}.",
        "Next: ./manage.py help COMMAND (its options). Django's own commands:",
        "./manage.py help --commands",
    ])  # fmt: skip


def _what_is_away(problem: BaseException | None) -> str | None:
    """One sentence where the cause is that the system, or its tables, are not there; None for every other problem."""
    from django.conf import settings
    from django.db.utils import OperationalError, ProgrammingError

    while problem is not None:
        if isinstance(problem, ProgrammingError) and getattr(problem.__cause__, "sqlstate", None) == UNDEFINED_TABLE:
            return _no_tables(tier=settings.RINGBACK_TIER)
        if isinstance(problem, OperationalError) and getattr(problem.__cause__, "sqlstate", None) is None:
            return _advice()  # no connection: with one, the server names a state
        if type(problem).__name__ == "SettingInvalid":
            return str(problem)
        problem = problem.__cause__ or problem.__context__
    return None


def _no_tables(*, tier: str) -> str:
    if tier == "naive":
        return "The tier naive keeps nothing that this command could show: deploy/naive/README.md says what it lacks."
    return "The database has no tables of Ringback's: `make up` makes them. Start it, then try again."


def _advice() -> str:
    home = Path(os.environ.get("RINGBACK_HOME") or HERE / ".ringback")
    if "DATABASE_URL" in os.environ:
        return "The database at DATABASE_URL does not answer: start it, or correct the address."
    if (home / "run" / "env").exists():
        return "The database does not answer: look at the terminal of `make up`, or ask `./manage.py doctor`."
    return "Ringback does not run here: start it with `make up` in another terminal, then try again."


if __name__ == "__main__":
    sys.exit(main())
