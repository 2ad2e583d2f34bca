"""HAProxy in front of the web, where it is installed, in place of the small proxy of ours (deploy/local/proxy).

It is told to do what ours does (docs/decisions/0018): a request is read whole first and goes out on a connection of its
own; a connection that was never made is tried at the next backend, what may have left is never sent twice.
"""

import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.local import installed, platform
from deploy.local.home import Home, write_private
from deploy.local.ports import HOST
from deploy.local.proxy.backends import CONNECT_SECONDS, PROBE_SECONDS, PROBE_TIMEOUT_SECONDS
from deploy.local.proxy.server import Limits

SETTING: Final = "RINGBACK_HAPROXY"
PACKAGE: Final = "haproxy"  # Debian's
BACKEND: Final = "RINGBACK_PROXY_BACKEND_{}"  # its settings name this variable, so that the lab can put a link there
_VERSION_LEAST: Final = (2, 4)
_EXPORTER: Final = "prometheus-exporter"
_OUTSIDE: Final = (Path("/usr/sbin/haproxy"), Path("/usr/local/sbin/haproxy"))
_BODY_BYTES: Final = 64 * 1024  # read before a backend sees any of it; a longer body is passed on as it comes


def lack() -> str:
    """Why HAProxy cannot stand in front of the web here; empty where it can."""
    program = _program()
    if program is None:
        return f"haproxy is not installed (Debian: apt install {PACKAGE})"
    found = installed.version(program)
    if found < _VERSION_LEAST:
        least = installed.told(_VERSION_LEAST)
        return f"haproxy is {installed.told(found)}, and {least} is the oldest that knows its settings"
    done = subprocess.run([program, "-vv"], capture_output=True, text=True, timeout=10, check=False)
    return "" if _EXPORTER in done.stdout else "haproxy was built without its Prometheus exporter"


def command(home: Home, *, port: int, metrics_port: int, webs: int) -> list[str]:
    """The command; its settings are written. Each of `webs` is where a variable BACKEND of its environment says."""
    place = home.run / "haproxy.cfg"
    write_private(place, settings(port=port, metrics_port=metrics_port, webs=webs))
    return platform.launched([str(_program()), "-db", "-f", str(place)], dies_with_parent=signal.SIGKILL)


def settings(*, port: int, metrics_port: int, webs: int) -> str:
    """What it is told, with the same bounds as ours."""
    limits = Limits()
    variables = [BACKEND.format(number) for number in range(1, webs + 1)]
    return f"""# Written by `up`.
global
    nbthread 1
    maxconn {limits.connections_max}
    hard-stop-after {_ms(limits.drain_seconds)}
    tune.bufsize {_BODY_BYTES}

defaults
    mode http
    option http-buffer-request
    # Where a backend dies with the second request of a connection, HAProxy ends that connection without a word, so that
    # the client repeats. A carrier does not: it repeats what was answered 502. So a connection carries one request.
    option httpclose
    http-reuse never
    option redispatch 1
    retries {webs}
    retry-on conn-failure
    timeout connect {_ms(CONNECT_SECONDS)}
    timeout check {_ms(PROBE_TIMEOUT_SECONDS)}
    timeout client {_ms(limits.write_seconds)}
    timeout server {_ms(limits.answer_seconds)}
    timeout queue {_ms(limits.wait_seconds)}
    timeout http-request {_ms(limits.head_seconds)}
    timeout http-keep-alive {_ms(limits.idle_seconds)}
    http-error status 503 content-type text/plain string "Service Unavailable\\n" hdr Retry-After 1

frontend web
    bind {HOST}:{port}
    http-request deny status 411 if {{ req.hdr_cnt(transfer-encoding) gt 0 }}
    http-request set-header X-Forwarded-For %[src]
    # Nobody ready is no reason to refuse: a web instance that is not ready answers for itself.
    use_backend anybody if {{ nbsrv(ready) eq 0 }}
    default_backend ready

backend ready
    balance leastconn
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host {HOST}
    http-check expect status 200
    default-server check inter {_ms(PROBE_SECONDS)} fall 1 rise 1 observe layer4 error-limit 1 on-error mark-down \
maxconn {limits.in_flight_max}
{_servers(variables)}

backend anybody
    balance leastconn
{_servers(variables)}

frontend metrics
    bind {HOST}:{metrics_port}
    http-request use-service {_EXPORTER} if {{ path /metrics }}
"""


def _servers(variables: Sequence[str]) -> str:
    return "\n".join(f'    server web-{number} "${{{name}}}"' for number, name in enumerate(variables, start=1))


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _program() -> str | None:
    """Debian puts it where an ordinary user's path does not lead."""
    return shutil.which("haproxy") or next((str(one) for one in _OUTSIDE if one.is_file()), None)
