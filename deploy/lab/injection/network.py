"""How faults of the network are seen: through the struck link, compared with the direct way."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Final

from deploy.lab.injection import measures
from deploy.lab.injection.fault import Bite
from deploy.lab.injection.scene import Scene, listeners
from deploy.lab.injection.targets import Link, links

_SECONDS: Final = 2.0
_BULK_BYTES: Final = 65_536


def link(scene: Scene) -> Link:
    """The first of the links that the target names."""
    return next(one for one in links(scene.home) if fnmatchcase(one.name, scene.target))


def is_slower(scene: Scene, *, by_ms: float) -> Bite:
    """Whether the same question takes so much longer through the link than on the direct way; best of three."""
    one = link(scene)
    server = one.name.rpartition("→")[2]
    through = _best([measures.through_ms(scene.home, one, seconds=_SECONDS) for _ in range(3)])
    direct = _best([measures.round_trip_ms(scene.home, _instance(scene, server), seconds=_SECONDS) for _ in range(3)])
    said = f"{one.name}: {measures.told(through, seconds=_SECONDS)}, directly {measures.told(direct, seconds=_SECONDS)}"
    if direct is None:
        return Bite(bites=False, measured=f"{said} (nothing to compare with)")
    return Bite(bites=through is None or through - direct >= by_ms, measured=said)


def is_uneven(scene: Scene, *, by_ms: float) -> Bite:
    """Whether ten equal questions take unequally long: the worst against the best."""
    one = link(scene)
    taken = [measures.through_ms(scene.home, one, seconds=_SECONDS) or _SECONDS * 1000 for _ in range(10)]
    spread = max(taken) - min(taken)
    return Bite(bites=spread >= by_ms, measured=f"{one.name}: {min(taken):.1f} to {max(taken):.1f} ms")


def is_cut(scene: Scene) -> Bite:
    """Whether nobody answers through the link though the server itself does."""
    one = link(scene)
    through = measures.through_ms(scene.home, one)
    return Bite(bites=through is None, measured=f"{one.name}: {measures.told(through)}")


def is_narrow(scene: Scene, *, bytes_per_second: float) -> Bite:
    """Whether 64 KiB take at least half of what they must at that rate; Redis echoes them."""
    one = link(scene)
    began = time.monotonic()
    with suppress(OSError):
        measures.redis_echo(scene.home, one.port, _BULK_BYTES, seconds=30)
    seconds = time.monotonic() - began
    return Bite(
        bites=seconds >= _BULK_BYTES / bytes_per_second / 2,
        measured=f"{one.name}: 64 KiB there and back in {seconds:.2f} s",
    )


def loses(scene: Scene, *, connections: int = 20) -> Bite:
    """How many of twenty idle connections were cut in the first half second."""
    one = link(scene)
    opened = []
    for _ in range(connections):
        with suppress(OSError):
            opened.append(socket.create_connection(("127.0.0.1", one.port), timeout=1))
    time.sleep(0.5)
    cut = connections - len(opened) + sum(_is_cut(connection) for connection in opened)
    for connection in opened:
        connection.close()
    return Bite(bites=cut > 0, measured=f"{one.name}: {cut} of {connections} new connections were cut")


def is_half_open(scene: Scene) -> Bite:
    """Redis hangs up after QUIT: whether the client ever learns of it."""
    one = link(scene)
    with socket.create_connection(("127.0.0.1", one.port), timeout=2) as connection:
        connection.sendall(b"*1\r\n$4\r\nQUIT\r\n")
        connection.settimeout(_SECONDS)
        try:
            while connection.recv(256):
                pass
            told = True
        except ConnectionResetError:
            told = True
        except TimeoutError:
            told = False
    how = "is told" if told else f"is not told within {_SECONDS:g} s"
    return Bite(bites=not told, measured=f"{one.name}: the server hangs up and the client {how}")


def _instance(scene: Scene, server: str) -> str:
    """`web` of `carrier→web` is the instance at PORT: the proxy, or the only web."""
    if server != "web":
        return server
    upstream = link(scene).upstream
    return next(name for name, port in listeners(scene.home).items() if port == upstream)


def _best(taken: list[float | None]) -> float | None:
    return min((one for one in taken if one is not None), default=None)


def _is_cut(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
