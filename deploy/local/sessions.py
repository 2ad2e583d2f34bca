"""`./manage.py sessions`: who is in the database, who holds up whom, and how to end it. Listing changes nothing.

It goes in as the superuser of this machine's own cluster, through the connections that are kept for that: it gets in
where nobody else does any more.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from deploy.local import postgres, records
from deploy.local.home import Home, read_environment
from deploy.local.problems import CannotStartError
from reminders.tables import Column, paragraph, table

OURS: Final = "ringback"  # what a command in a second terminal calls itself
ROWS_MAX: Final = 40
_CONNECT_SECONDS: Final = 3
_STATEMENT_MS: Final = 5000

_COLUMNS: Final = (
    Column(title="pid", right=True), Column(title="session of"), Column(title="open for", right=True),
    Column(title="holds up others"), Column(title="query"),
)  # fmt: skip
_SESSIONS: Final = """
SELECT a.pid, a.application_name AS name, a.usename AS role, a.state, left(split_part(a.query, E'\\n', 1), 44) AS query,
       coalesce(extract(epoch FROM now() - a.xact_start), 0)::float8 AS seconds,
       cardinality(pg_blocking_pids(a.pid)) > 0 AS waits,
       EXISTS (SELECT FROM pg_stat_activity w WHERE a.pid = ANY (pg_blocking_pids(w.pid))) OR EXISTS (
         SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
          WHERE l.pid = a.pid AND l.granted AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p')
            AND c.relnamespace = 'public'::regnamespace) AS blocks
  FROM pg_stat_activity a
 WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND a.application_name NOT LIKE 'Patroni%%'
 ORDER BY a.xact_start NULLS LAST, a.pid
"""


def listed(home: Home, *, blocking: bool, strangers: bool, older_seconds: float | None) -> list[dict[str, Any]]:
    """The sessions that are chosen, the oldest transaction first; all, where nothing is chosen.

    `blocking`: they hold up others and wait for nobody; `strangers`: of no process of Ringback. Raises
    CannotStartError.
    """
    with _connected(home) as connection:
        found = connection.execute(_SESSIONS).fetchall()
    known = {OURS, *records.read(home)}
    return chosen(found, known=known, blocking=blocking, strangers=strangers, older_seconds=older_seconds)


def chosen(
    found: Sequence[dict[str, Any]],
    *,
    known: Collection[str],
    blocking: bool,
    strangers: bool,
    older_seconds: float | None,
) -> list[dict[str, Any]]:
    """Of these sessions those that are meant; `known` are the names of Ringback's own."""
    return [
        one
        for one in found
        if (not blocking or (one["blocks"] and not one["waits"]))
        and (not strangers or one["name"] not in known)
        and (older_seconds is None or one["seconds"] > older_seconds)
    ]


def end(home: Home, found: Sequence[Mapping[str, Any]]) -> int:
    """End these sessions: what they had not committed is undone. How many were still there. Raises CannotStartError."""
    with _connected(home) as connection:
        pids = [one["pid"] for one in found]
        rows = connection.execute("SELECT pg_terminate_backend(pid) AS ended FROM unnest(%s::int[]) AS pid", [pids])
        return sum(bool(row["ended"]) for row in rows)


def shown(found: Sequence[Mapping[str, Any]]) -> str:
    """As a person reads it."""
    lines = [table(columns=_COLUMNS, rows=[_row(one) for one in found[:ROWS_MAX]])]
    if len(found) > ROWS_MAX:
        lines.append(f"… and {len(found) - ROWS_MAX} more.")
    several = Counter(one["name"] or "(no name)" for one in found)
    most = ", ".join(f"{count} of {name}" for name, count in several.most_common(8))
    lines.append(paragraph(f"{len(found)} sessions: {most}"))
    return "\n".join(lines)


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    transaction = f"{one['seconds']:.0f} s" if one["seconds"] else "-"
    holds = "waits itself" if one["waits"] else "yes" if one["blocks"] else "no"
    return str(one["pid"]), one["name"] or "(no name)", transaction, holds, one["query"]


def _connected(home: Home) -> "psycopg.Connection[dict[str, Any]]":
    """Into the node that takes writes."""
    environment = read_environment(home.run / "env")
    if records.supervisor(home) is None or not environment:
        raise CannotStartError("Nothing runs here: set RINGBACK_HOME, or ask as superuser with psql.", code=2)
    theirs = psycopg.conninfo.conninfo_to_dict(environment["RINGBACK_OWNER_DATABASE_URL"])
    theirs |= {"user": postgres.SUPERUSER, "password": home.secret("postgres_superuser_password")}
    theirs |= {"connect_timeout": _CONNECT_SECONDS, "options": f"-c statement_timeout={_STATEMENT_MS}"}
    try:
        return psycopg.connect(**theirs, autocommit=True, row_factory=dict_row, application_name="ringback")  # type: ignore[arg-type]
    except psycopg.Error as away:
        raise CannotStartError(
            f"No Postgres that takes writes answers ({str(away).strip().splitlines()[-1]})."
        ) from None
