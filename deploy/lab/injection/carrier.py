"""The simulated carrier's behaviour: changed through its control interface, put back to what it was."""

from __future__ import annotations

import http.client
import json
from typing import Any, Final
from urllib.parse import urlsplit

from deploy.lab.injection.fault import Bite, FaultError, Way
from deploy.lab.injection.scene import Scene, listeners
from deploy.local.home import Home

_SECONDS: Final = 5.0


def base(home: Home, name: str = "carrier") -> str:
    """Where the control interface of a carrier is."""
    port = listeners(home).get(name)
    if port is None:
        raise FaultError("The simulated carrier does not run here.")
    return f"http://127.0.0.1:{port}"


def behaviour(address: str) -> dict[str, Any]:
    """How it behaves now. FaultError where it does not answer."""
    return _asked(address, "GET", None)


def behave(address: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Change what is given; how it behaves then."""
    return _asked(address, "POST", wanted)


def misbehaving(option: str, key: str) -> Way:
    """The way of every fault that is one key of the carrier's `faults`, set to the option of that name."""

    def inject(scene: Scene) -> None:
        address = base(scene.home, scene.target)
        previous = behaviour(address)["faults"][key]
        scene.will("behave", base=address, previous={"faults": {key: previous}})
        behave(address, {"faults": {key: float(scene.options[option])}})

    return Way(
        name="sim-behaviour",
        how=f"POST /sim/behaviour: faults.{key} is set to the option `{option}`.",
        inject=inject,
        needs=("simulated-carrier",),
    )


def misbehaves(scene: Scene, key: str) -> Bite:
    """Whether the carrier says that it does this."""
    value = behaviour(base(scene.home, scene.target))["faults"][key]
    return Bite(bites=bool(value), measured=f"the carrier's {key} is {value:g}")


def _asked(address: str, method: str, wanted: dict[str, Any] | None) -> dict[str, Any]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        body = None if wanted is None else json.dumps(wanted)
        connection.request(method, "/sim/behaviour", body=body, headers={"Content-Type": "application/json"})
        reply = connection.getresponse()
        found: dict[str, Any] = json.loads(reply.read())
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise FaultError(f"The carrier at {address} does not answer ({problem}).") from None
    finally:
        connection.close()
    if reply.status != 200:
        raise FaultError(f"The carrier refuses that behaviour: {found.get('error', reply.status)}.")
    return found
