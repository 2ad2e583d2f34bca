"""Makes the system do one thing, and looks at what came of it: how a fault of the carrier is seen."""

from __future__ import annotations

import base64
import http.client
import random
import time
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote, urlencode

from deploy.lab.injection import measures
from deploy.lab.injection.asking import asked, base
from deploy.lab.injection.fault import FaultError
from deploy.lab.injection.scene import Scene, listeners

_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05


def number() -> str:
    """A phone that nobody had before, almost surely; they begin alike, so that the lab's people are known."""
    return f"+1202556{random.randrange(10_000):04d}"


def text(scene: Scene, sender: str, body: str, *, seconds: float = _SECONDS) -> list[dict[str, Any]]:
    """A phone texts; what its webhooks brought within `seconds` (nothing: they have not ended)."""
    address = base(scene.home)
    sid = asked(address, "POST", "/sim/sms", {"from": sender, "body": body})["sid"]
    found: list[dict[str, Any]] = []
    until = time.monotonic() + seconds
    while not found and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        found = asked(address, "GET", f"/sim/messages/{sid}")["webhooks"]
    return found


def ring(scene: Scene, *, seconds: float) -> dict[str, Any] | None:
    """A phone asks for a reminder in a second; the carrier's call for it, once that rings. None: not in time."""
    sender = number()
    text(scene, sender, "Remind in 1 second about the lab")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name in listeners(scene.home):
            if name.startswith("carrier"):
                for call in _calls(scene, name, sender):
                    if call["ringing_at"] is not None:
                        return {**call, "carrier": name}
        time.sleep(_POLL_SECONDS)
    return None


def hang_up(scene: Scene, call: dict[str, Any]) -> None:
    """The person answers, presses 1 (done) and it is over."""
    address = base(scene.home, call["carrier"])
    with suppress(FaultError):
        asked(address, "POST", f"/sim/calls/{call['sid']}/answer", {})
        asked(address, "POST", f"/sim/calls/{call['sid']}/press", {"digits": "1"})
        asked(address, "POST", f"/sim/calls/{call['sid']}/decline", {})


def total(scene: Scene, kind: str, metric: str) -> float:
    """A counter, added up over every instance of a kind."""
    return sum(
        measures.counter(scene.home, name, metric) for name in listeners(scene.home) if name.startswith(f"{kind}-")
    )


def rises(scene: Scene, kind: str, metric: str, *, before: float, seconds: float) -> float:
    """By how much a counter has risen, as soon as it has; 0 where it has not within `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        risen = total(scene, kind, metric) - before
        if risen > 0:
            return risen
        time.sleep(_POLL_SECONDS)
    return 0.0


def rest(scene: Scene, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, float]:
    """One request of ours to the carrier's REST interface, with our credentials: its status (0: none) and seconds."""
    sid, token = scene.interface["account_sid"], scene.interface["auth_token"]
    connection = http.client.HTTPConnection("127.0.0.1", listeners(scene.home)["carrier"], timeout=_SECONDS)
    headers = {
        "Authorization": _basic(sid, token),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    began = time.monotonic()
    status = 0
    with suppress(OSError, http.client.HTTPException):
        body = None if form is None else urlencode(form)
        connection.request(method, f"/2010-04-01/Accounts/{sid}/{path}", body=body, headers=headers)
        reply = connection.getresponse()
        reply.read()
        status = reply.status
    connection.close()
    return status, time.monotonic() - began


def listed(scene: Scene, call: dict[str, Any]) -> bool:
    """Whether the carrier's REST list of calls to that number holds the call."""
    sid, token = scene.interface["account_sid"], scene.interface["auth_token"]
    address = base(scene.home, call["carrier"])
    path = f"/2010-04-01/Accounts/{sid}/Calls.json?To={quote(call['to'], safe='')}"
    found = asked(address, "GET", path, headers={"Authorization": _basic(sid, token)})
    return any(one["sid"] == call["sid"] for one in found["calls"])


def _basic(sid: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{sid}:{token}".encode()).decode()


def _calls(scene: Scene, name: str, to: str) -> list[dict[str, Any]]:
    with suppress(FaultError):
        found: list[dict[str, Any]] = asked(base(scene.home, name), "GET", f"/sim/calls?to={quote(to, safe='')}")
        return found
    return []
