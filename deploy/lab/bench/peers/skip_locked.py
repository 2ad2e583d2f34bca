"""The bare loop: claim with SKIP LOCKED, post to the carrier, write one row for each call. No Celery, no ledger.

It uses the same client (aiohttp), the same number of connections and the same carrier as Ringback's worker, and
commits one outcome row for each call. `python skip_locked.py DUE COUNT` with the addresses in the environment; it
says what it did as one line of JSON.
"""

import asyncio
import json
import os
import sys
import time
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import aiohttp
import psycopg

CONNECTIONS = 100
CLAIM = 500

CLAIM_SQL = """
WITH due AS (
  SELECT id FROM bench_job WHERE wake_at <= now() ORDER BY wake_at LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE bench_job j SET wake_at = now() + interval '15 seconds' FROM due WHERE j.id = due.id RETURNING j.id, j.number
"""
DONE_SQL = """
WITH told AS (
  SELECT * FROM unnest(%s::bigint[], %s::text[]) AS t (id, sid)
), done AS (
  DELETE FROM bench_job j USING told WHERE j.id = told.id
)
INSERT INTO bench_outcome (id, sid) SELECT id, sid FROM told
"""


async def main() -> None:
    """Run until `COUNT` calls are placed and written."""
    due, count = float(sys.argv[1]), int(sys.argv[2])
    connection = await psycopg.AsyncConnection.connect(os.environ["BENCH_DATABASE_URL"], autocommit=True)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=30)
    account, token = os.environ["BENCH_ACCOUNT_SID"], os.environ["BENCH_AUTH_TOKEN"]
    head = {
        "Authorization": "Basic " + b64encode(f"{account}:{token}".encode()).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with connection, aiohttp.ClientSession(connector=connector, headers=head) as session:
        await asyncio.sleep(max(0.0, due - time.time()))
        done = failed = 0
        while done < count:
            rows = await (await connection.execute(CLAIM_SQL, (CLAIM,), prepare=True)).fetchall()
            if not rows:
                await asyncio.sleep(0.01)
                continue
            told = await asyncio.gather(*(_call(session, number) for _, number in rows))
            good = [(row[0], sid) for row, sid in zip(rows, told, strict=True) if sid is not None]
            failed += len(rows) - len(good)
            await connection.execute(DONE_SQL, ([one[0] for one in good], [one[1] for one in good]), prepare=True)
            done += len(good)
    print(json.dumps({"done": done, "failed": failed, "ended_at": time.time()}))


async def _call(session: aiohttp.ClientSession, number: str) -> str | None:
    base = os.environ["BENCH_WEBHOOKS"]
    form = [
        ("To", number),
        ("From", os.environ["BENCH_SERVICE_NUMBER"]),
        ("Url", f"{base}/words"),
        ("Timeout", "30"),
        ("StatusCallback", f"{base}/call-status"),
        *(("StatusCallbackEvent", event) for event in ("initiated", "ringing", "answered", "completed")),
    ]
    try:
        async with session.post(os.environ["BENCH_CALLS"], data=urlencode(form).encode()) as answer:
            shown: dict[str, Any] = await answer.json()
            return str(shown["sid"]) if answer.status == 201 else None
    except (aiohttp.ClientError, TimeoutError):
        return None


if __name__ == "__main__":
    asyncio.run(main())
