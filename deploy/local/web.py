"""The web instance in one process: granian's server without its parent.

Granian's own command serves from a child; killed, the parent leaves that child serving and holding the port.
Its server for free-threaded Python serves from threads of one process, and does so under the GIL as well (the
same request rate when measured, 30 MB less). So the pid that the supervisor started is what serves.
"""

import logging
import os
from typing import Final

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mt import MTServer

_STOP_SECONDS: Final = 2


class OneProcess(MTServer):
    """Granian's threaded server, also where there is a GIL."""

    def _check_gil(self) -> None:
        """Serving under the GIL is what we want here."""


def main() -> None:
    """Serve config.rsgi on 127.0.0.1:PORT until SIGTERM."""
    logging.getLogger("_granian").setLevel(logging.ERROR)  # it warns of free-threading, which is not used
    OneProcess(
        "config.rsgi:application",
        address="127.0.0.1",
        port=int(os.environ["PORT"]),
        interface=Interfaces.RSGI,
        workers=1,
        websockets=False,
        log_access=False,
        log_level=LogLevels.error,
        workers_kill_timeout=_STOP_SECONDS,
    ).serve()


if __name__ == "__main__":
    main()
