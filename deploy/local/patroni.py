"""`python -m deploy.local.patroni FILE`: Patroni as it runs here, without two waits that wait for nothing.

- Patroni looks once a second whether its server has been promoted, and with a loop of one second it looks only once:
  the others learn of the new primary a second late. An old primary that comes back meanwhile starts on its old
  timeline, finds out, stops, and only then is rewound.
- Importing Patroni reads its lists of Postgres's settings by PyYAML's slow reader, in Patroni and again in the process
  that starts each server: more than a third of the processor time that an old primary takes to come back.

Postgres's own starter imports this module again, so what is changed is changed when it is imported.
"""

import sys
from typing import Any, Final

import yaml

LOOK_SECONDS: Final = 0.25

if yaml.__with_libyaml__:
    yaml.SafeLoader = yaml.CSafeLoader  # type: ignore[assignment,misc]  # the same reader, in C


def hasten() -> None:
    """Have Patroni look more often at what its server does."""
    from patroni import postgresql, utils

    def looking(timeout: float, interval: float = LOOK_SECONDS) -> Any:
        return utils.polling_loop(timeout, interval)

    postgresql.polling_loop = looking


def main() -> None:
    """Run a node's Patroni until it is told to stop."""
    from patroni.__main__ import main as patroni

    hasten()
    patroni()


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[func-returns-value]
