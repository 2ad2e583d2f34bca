"""./manage.py lab …: break the running system on purpose, heal it, and see what it was worth."""

import importlib
import pkgutil
import sys
from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand

from deploy.lab import commands
from deploy.lab.experiment import WrongExperimentError
from deploy.lab.faults import FaultError
from deploy.lab.subject import DidNotStartError
from deploy.local.home import home
from deploy.local.problems import CannotStartError

# What says in a sentence why a subcommand cannot do its work, and what to do about it.
CANNOT: Final = (FaultError, WrongExperimentError, DidNotStartError, CannotStartError)
NAMES: Final = tuple(sorted(found.name for found in pkgutil.iter_modules(commands.__path__)))


class Command(BaseCommand):
    """Each subcommand is a module of deploy/lab/commands with HELP, add_arguments(parser) and run(home, options)."""

    help = "Break the running system on purpose, heal it, and judge what it did."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One parser for each subcommand."""
        subcommands = parser.add_subparsers(dest="subcommand", required=True)
        for name in NAMES:
            module = importlib.import_module(f"{commands.__name__}.{name}")
            shown = name.rstrip("_").replace("_", "-")  # a module may not be called `break`
            module.add_arguments(subcommands.add_parser(shown, help=module.HELP, description=module.HELP))

    def handle(self, *_: object, **options: object) -> None:
        """Run it; 2 where it cannot be done."""
        name = str(options["subcommand"]).replace("-", "_")
        module = importlib.import_module(f"{commands.__name__}.{name if name in NAMES else name + '_'}")
        try:
            code = module.run(home(), options)
        except CANNOT as problem:
            sys.stdout.flush()
            print(f"lab: {problem}", file=sys.stderr)
            sys.exit(2)
        except KeyboardInterrupt:
            sys.exit(130)
        sys.exit(code)
