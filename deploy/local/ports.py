"""Which ports the system listens on: all follow from the web's."""

import errno
import socket
from dataclasses import dataclass
from typing import Final

from deploy.local.problems import CannotStartError

HOST: Final = "127.0.0.1"
_SPAN: Final = 100


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The ports of one system; `web` is what PORT names: the proxy where there is one, and web-N above it."""

    web: int

    @property
    def carrier(self) -> int:
        """The simulated carrier and its phone page; the second account is the port above."""
        return self.web + 10

    @property
    def postgres(self) -> int:
        """The first Postgres; the others are the ports above."""
        return self.web + 20

    @property
    def patroni(self) -> int:
        """Where the first Postgres node's Patroni answers; the others above."""
        return self.web + 23

    @property
    def raft(self) -> int:
        """Where the first of those who keep the cluster's decisions listens; the others above."""
        return self.web + 26

    @property
    def etcd(self) -> int:
        """The same, where etcd keeps them."""
        return self.raft

    @property
    def redis(self) -> int:
        """Redis."""
        return self.web + 30

    @property
    def traces(self) -> int:
        """The embedded trace store, for OTLP over HTTP."""
        return self.web + 55

    @property
    def prometheus(self) -> int:
        """Prometheus, where it is installed."""
        return self.web + 56

    @property
    def alertmanager(self) -> int:
        """Alertmanager, beside it."""
        return self.web + 57

    @property
    def metrics(self) -> int:
        """The first of the ports where instances show their metrics, up to 54; from 60 on the lab's."""
        return self.web + 40


def ports(text: str) -> Ports:
    """The ports that follow from PORT. Raises CannotStartError where it is no usable number."""
    if not (text.isascii() and text.isdigit() and 1024 <= int(text) <= 65535 - _SPAN):
        raise CannotStartError(f"PORT must be a number from 1024 to {65535 - _SPAN}, not {text!r}.", code=2)
    return Ports(web=int(text))


def refuse_taken(port: int, what: str) -> None:
    """Raise CannotStartError where something else listens on a port of ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise CannotStartError(f"Cannot listen on 127.0.0.1:{port}: {problem.strerror}.") from None
            raise CannotStartError(
                f"Port {port} ({what}) is taken by another program: stop that one, or choose another PORT, from which "
                "every port follows: `make up PORT=8100`, and in the lab `--port 8100`."
            ) from None


def free_port() -> int:
    """A port that nobody listens on now, for a server that lives for a moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something takes connections on that port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_alive(port: int, path: str) -> bool:
    """Whether an HTTP server there answers `path` with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.3) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            return b" 200 " in connection.recv(64)
    except OSError:
        return False
