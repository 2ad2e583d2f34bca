"""Redis is the doorbell only: frozen it delays by a bound, emptied it loses nothing."""

import pytest
from redis import Redis

from tests.acceptance import audit
from tests.acceptance.bursts import PACED
from tests.acceptance.system import System, Systems
from tests.acceptance.waiting import stays, until

pytestmark = pytest.mark.acceptance

CLAIMED = """
SELECT count(*) FROM reminders_timer t JOIN reminders_subscriber s ON s.id = t.subscriber_id
 WHERE s.number = ANY (%s) AND t.kind = 'ring' AND t.token IS NOT NULL
"""


@pytest.fixture
def system(systems: Systems) -> System:
    """One whose Redis may suffer."""
    return systems.running("killed", PACED)


def test_it_is_only_delayed_by_a_frozen_redis(system: System) -> None:
    system.carrier.behave(answer="always", press="1")
    phones = list(system.carrier.phones(10))
    with system.frozen("redis"):
        for phone in phones:
            phone.texts("Remind in 1 second about ice")  # accepted all the same
        stays(lambda: not any(phone.calls for phone in phones), seconds=3, what="nothing rings without a doorbell")
    until(lambda: all(phone.calls for phone in phones), what="all ring once it thaws")
    system.oracle.await_quiet(phones)
    system.oracle.judge(phones)
    assert system.oracle.charges(phones) == {"sms": 10, "call": 10}
    audit.clean(system)


def test_it_loses_nothing_where_redis_is_emptied(system: System) -> None:
    """The doorbells of 20 claimed reminders vanish: the lease brings them again."""
    system.carrier.behave(answer="always", press="1")
    phones = list(system.carrier.phones(20))
    with system.frozen("worker-1"):
        for phone in phones:
            phone.texts("Remind in 1 second about nothing left")
        numbers = [phone.number for phone in phones]
        until(lambda: system.rows(CLAIMED, numbers) == [(20,)], what="all are claimed")
        with Redis.from_url(system.interface["redis_url"], socket_timeout=5) as redis:
            redis.flushall()
    until(lambda: all(phone.calls for phone in phones), what="all ring after the lease")
    system.oracle.await_quiet(phones)
    system.oracle.judge(phones)
    assert {len(phone.calls) for phone in phones} == {1}
    assert system.oracle.charges(phones) == {"sms": 20, "call": 20}
    audit.clean(system)
