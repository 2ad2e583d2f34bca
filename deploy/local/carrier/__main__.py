"""`python -m deploy.local.carrier`: serve until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from aiohttp import web

from deploy.local.carrier.engine import Engine
from deploy.local.carrier.server import application
from deploy.local.carrier.settings import Settings, SettingsError, read

STOP_SECONDS = 2.0


def main() -> int:
    """Run the carrier; 0 after a clean stop, 2 when it cannot start."""
    try:
        settings = read(environ=os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(settings))
    except OSError as error:
        print(f"The carrier cannot listen on 127.0.0.1:{settings.port}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


async def _serve(settings: Settings) -> None:
    engine = Engine(settings=settings)
    engine.start()
    runner = web.AppRunner(application(engine), access_log=None, shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        site = web.TCPSite(runner, "127.0.0.1", settings.port, backlog=1024)
        await site.start()
        print(f"carrier: the phone page is http://127.0.0.1:{settings.port}/", flush=True)
        await stop.wait()
    finally:
        await engine.stop()
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
