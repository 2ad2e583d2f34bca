"""One JSON request to the simulated carrier's control interface."""

from __future__ import annotations

import http.client
import json
from typing import Any, Final
from urllib.parse import urlsplit

from deploy.lab.injection.fault import FaultError
from deploy.lab.injection.scene import listeners
from deploy.local.home import Home

_SECONDS: Final = 5.0


def base(home: Home, name: str = "carrier") -> str:
    """Where the control interface of a carrier is. FaultError where none runs."""
    port = listeners(home).get(name)
    if port is None:
        raise FaultError("The simulated carrier does not run here.")
    return f"http://127.0.0.1:{port}"


def asked(
    address: str,
    method: str,
    path: str,
    wanted: dict[str, Any] | None = None,
    *,
    headers: dict[str, str] | None = None,
) -> Any:
    """The answer. FaultError where it is refused or does not come."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        body = None if wanted is None else json.dumps(wanted)
        connection.request(method, path, body=body, headers={"Content-Type": "application/json", **(headers or {})})
        reply = connection.getresponse()
        found = json.loads(reply.read())
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise FaultError(f"The carrier at {address} does not answer ({problem}).") from None
    finally:
        connection.close()
    if reply.status >= 400:
        raise FaultError(f"The carrier refuses {path}: {reply.status} {found}.")
    return found
