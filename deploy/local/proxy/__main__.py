"""`python -m deploy.local.proxy`: serve PORT from RINGBACK_PROXY_BACKENDS until SIGTERM or Ctrl-C."""

import asyncio
import os
import resource
import signal
import sys
from typing import Final

from deploy.local.proxy.backends import HOST, Backends
from deploy.local.proxy.server import Limits, Proxy

_METRICS_SECONDS: Final = 2.0
_FILES: Final = 4096


def main() -> int:
    """Run the proxy; 0 after a clean stop, 2 when it cannot start."""
    port = int(os.environ["PORT"])
    backends = [int(word.rpartition(":")[2]) for word in os.environ["RINGBACK_PROXY_BACKENDS"].split(",")]
    _more_files()
    try:
        asyncio.run(_serve(port, backends, int(os.environ.get("RINGBACK_METRICS_PORT") or 0)))
    except OSError as error:
        print(f"The proxy cannot listen on {HOST}:{port}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


def _more_files() -> None:
    """Two sockets for each request: as many as the machine lets us have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _serve(port: int, backends: list[int], metrics_port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    limits = Limits()
    proxy = Proxy(backends=Backends(backends, in_flight_max=limits.in_flight_max), limits=limits)
    if metrics_port:
        await asyncio.start_server(lambda reader, writer: _metrics(proxy, reader, writer), HOST, metrics_port)
    await proxy.serve(port, stop)


async def _metrics(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What it counted, in Prometheus' text format, to whoever asks anything."""
    lines = ["# TYPE ringback_proxy_total counter"]
    lines += [f'ringback_proxy_total{{what="{name}"}} {count}' for name, count in sorted(proxy.counts.items())]
    lines.append("# TYPE ringback_proxy_backend_health gauge")
    lines += [
        f'ringback_proxy_backend_health{{port="{one.port}"}} {int(one.health)}'
        f'\nringback_proxy_backend_in_flight{{port="{one.port}"}} {one.in_flight}'
        for one in proxy.backends.all
    ]
    body = "\n".join([*lines, ""]).encode()
    try:
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=_METRICS_SECONDS)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        await asyncio.wait_for(writer.drain(), timeout=_METRICS_SECONDS)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


if __name__ == "__main__":
    sys.exit(main())
