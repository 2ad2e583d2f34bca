"""`python -m deploy.local.etcd_password ADDRESS FILE`: from now on etcd answers only who knows the password in FILE.

It is a step before the Postgres nodes, and may be done any number of times: where the password is known already,
nothing is done.
"""

import http.client
import json
import sys
from pathlib import Path
from typing import Any, Final

from deploy.local.etcd import USER

_SECONDS: Final = 5
_THERE_ALREADY: Final = "already exists"


def main(address: str, place: str) -> int:
    """Set the password, and have it asked for."""
    password = Path(place).read_text().strip()
    if _is_asked_for(address, password):
        return 0
    for path, told in (
        ("/auth/user/add", {"name": USER, "password": password}),
        ("/auth/role/add", {"name": USER}),
        ("/auth/user/grant", {"user": USER, "role": USER}),
        ("/auth/enable", {}),
    ):
        refused = _post(address, path, told).get("error", "")
        if refused and _THERE_ALREADY not in refused:
            print(f"etcd refused {path}: {refused}", file=sys.stderr, flush=True)
            return 1
    if not _is_asked_for(address, password):
        print("etcd does not ask for the password that it was given", file=sys.stderr, flush=True)
        return 1
    return 0


def _is_asked_for(address: str, password: str) -> bool:
    """Whether it knows the password, and answers nobody without."""
    knows = "token" in _post(address, "/auth/authenticate", {"name": USER, "password": password})
    return knows and "error" in _post(address, "/kv/range", {"key": "YQ=="})


def _post(address: str, path: str, told: dict[str, str]) -> dict[str, Any]:
    """What it answers, a refusal too. Raises OSError and http.client.HTTPException."""
    connection = http.client.HTTPConnection(address, timeout=_SECONDS)
    try:
        connection.request("POST", f"/v3{path}", json.dumps(told))
        found: dict[str, Any] = json.loads(connection.getresponse().read(64 * 1024))
    finally:
        connection.close()
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
