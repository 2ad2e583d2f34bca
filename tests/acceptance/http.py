"""Requests as a stranger or a carrier sends them, with nothing in between that could mend them."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 60.0
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def request(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, reads: bool = True
) -> Answered:
    """One request on a connection of its own. OSError where nothing answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request(method, target, body=body or None, headers=dict(headers or {}))
        reply = connection.getresponse()
        text = reply.read().decode("utf-8", "replace") if reads else ""
        return Answered(status=reply.status, headers={k.lower(): v for k, v in reply.getheaders()}, text=text)
    except http.client.HTTPException as problem:
        raise OSError(str(problem)) from problem
    finally:
        connection.close()


def get(url: str) -> Any:
    """A JSON document. AssertionError where the answer is not 200."""
    answered = request("GET", url)
    assert answered.status == 200, f"{url}: {answered.status} {answered.text}"
    return answered.json()


def post_json(url: str, wanted: object) -> Answered:
    """A JSON request."""
    return request("POST", url, body=json.dumps(wanted).encode(), headers={"Content-Type": "application/json"})
