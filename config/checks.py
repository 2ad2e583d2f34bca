"""Settings that could lose or repeat work are refused at start, ours and the database server's.

Django runs these before every command, and asks the server before `migrate`; granian and Celery run none, so `wsgi.py`
and `celery_app.py` call `refuse()`.
"""

import os
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import OperationalError, connections

from reminders import limits, wiring

# The last one: how many may be connected who are no superusers and reserve nothing.
_KEEPS: Final = """
SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int
"""


@register()
def lease_outlives_the_work(**_: Any) -> Iterable[CheckMessage]:
    """A lease that ends while its batch is still being sent would let a second worker begin the same rows."""
    policy = wiring.policy()
    needed = policy.send_within_seconds + policy.request_seconds + limits.SETTLE_SECONDS
    if needed > settings.RINGBACK_LEASE_SECONDS:
        yield Error(
            f"RINGBACK_LEASE_SECONDS is {settings.RINGBACK_LEASE_SECONDS:g}; it must be at least {needed:g}, "
            "the time in which a claimed batch may still be sent and settled.",
            id="ringback.E001",
        )


@register()
def nothing_is_redelivered_behind_our_back(**_: Any) -> Iterable[CheckMessage]:
    """The lease is the only redelivery: Celery's own ways to repeat or delay work are refused."""
    for name in ("CELERY_RESULT_BACKEND", "CELERY_ACKS_LATE", "CELERY_TASK_ACKS_LATE"):
        if os.environ.get(name):
            yield Error(f"{name} is set; unset it: the lease is the only redelivery.", id="ringback.E002")


@register()
def autocommit_is_on(**_: Any) -> Iterable[CheckMessage]:
    """Each statement outside a transaction must commit by itself."""
    database = settings.DATABASES["default"]
    if not database.get("AUTOCOMMIT", True) or database.get("ATOMIC_REQUESTS"):
        yield Error(
            "AUTOCOMMIT must stay on and ATOMIC_REQUESTS off: each stage owns its transaction.",
            id="ringback.E003",
        )


@register()
def secrets_are_set_where_people_are_served(**_: Any) -> Iterable[CheckMessage]:
    """A web instance without the carrier's token would believe anybody, or nobody."""
    if settings.RINGBACK_INSTANCE and not settings.RINGBACK_TWILIO_AUTH_TOKEN:
        yield Error("RINGBACK_TWILIO_AUTH_TOKEN is empty; set it to the carrier account's token.", id="ringback.E004")
    if settings.RINGBACK_TWILIO_2_ACCOUNT_SID and not (
        settings.RINGBACK_TWILIO_2_AUTH_TOKEN
        and settings.RINGBACK_TWILIO_2_BASE
        and settings.RINGBACK_SERVICE_NUMBER_2
        and settings.RINGBACK_TWILIO_2_ACCOUNT_SID != settings.RINGBACK_TWILIO_ACCOUNT_SID
    ):
        yield Error(
            "RINGBACK_TWILIO_2_ACCOUNT_SID is set; set RINGBACK_TWILIO_2_BASE, RINGBACK_TWILIO_2_AUTH_TOKEN and "
            "RINGBACK_SERVICE_NUMBER_2 too, and let the account be another than the first.",
            id="ringback.E006",
        )
    if settings.RINGBACK_INSTANCE and settings.SECRET_KEY.startswith("not-secret"):
        yield Error("RINGBACK_SECRET_KEY is not set; give it a long random value.", id="ringback.E005")


@register(Tags.database)
def the_server_keeps_what_it_commits(*, databases: Iterable[str] | None = None, **_: Any) -> Iterable[CheckMessage]:
    """What is answered 2xx must be on stable storage. A server that is away is not asked: it is waited for."""
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(_KEEPS)
                fsync, pages, commit, room = cursor.fetchone()
        except OperationalError:
            continue
        finally:
            connections[alias].close()
        for name, value in (("fsync", fsync), ("full_page_writes", pages)):
            if value == "off" and not settings.RINGBACK_MAY_FORGET:
                yield Error(
                    f"The database server runs with {name} = off: after a crash it may have forgotten what was "
                    f"accepted. Set {name} = on and reload it.",
                    id="ringback.E007",
                )
        if commit in ("off", "local") and not settings.RINGBACK_MAY_FORGET:
            yield Error(
                f"The database server runs with synchronous_commit = {commit}: a commit does not wait until it is "
                "kept. Set it to on, and reload the server.",
                id="ringback.E008",
            )
        size = (connections[alias].settings_dict["OPTIONS"].get("pool") or {}).get("size", 0)
        if size >= room:
            yield Error(
                f"This process may hold {size} connections, and the database server has {room} for everybody. Lower "
                "RINGBACK_WEB_CONNECTIONS or RINGBACK_WORKER_THREADS, or raise max_connections.",
                id="ringback.E009",
            )


def refuse() -> None:
    """Run every check of ours; exit with its sentences where one fails."""
    checks = (
        lease_outlives_the_work,
        nothing_is_redelivered_behind_our_back,
        autocommit_is_on,
        secrets_are_set_where_people_are_served,
        partial(the_server_keeps_what_it_commits, databases=["default"]),
    )
    errors = [message for check in checks for message in check()]
    if errors:
        raise SystemExit("Ringback does not start:\n" + "\n".join(f"  {error.id}: {error.msg}" for error in errors))
