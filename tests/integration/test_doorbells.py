"""A worker goes on taking doorbells after Redis died in the middle of its acks."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import pytest
from redis.exceptions import ConnectionError as RedisAway

from config.celery_app import app

PREFETCH: Final = 4


def takes_more(redis_url: str, options: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a consumer with a full prefetch takes more once it has acked all of it while Redis was away."""
    with app.connection(redis_url, transport_options=dict(options)) as connection:
        channel = connection.channel()
        channel.basic_qos(0, PREFETCH, False)
        queue = connection.SimpleQueue("test_doorbells", channel=channel)
        for _ in range(PREFETCH):
            queue.put("ring")
        taken = [queue.get(timeout=5) for _ in range(PREFETCH)]
        assert not channel.qos.can_consume()

        def away(*_: object, **__: object) -> None:
            raise RedisAway("Connection refused")

        with monkeypatch.context() as patch:
            for pool in {id(pool): pool for pool in (channel.pool, channel.client.connection_pool)}.values():
                patch.setattr(pool, "get_connection", away)
            for message in taken:
                with suppress(RedisAway):
                    message.ack()
        takes = bool(channel.qos.can_consume())
        channel.qos._delivered.clear()  # nothing is put back where the connection closes
        queue.close()
        return takes


def test_it_takes_more_doorbells_where_redis_could_not_take_the_acks(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert takes_more(redis_url, app.conf.broker_transport_options, monkeypatch)


def test_it_would_take_none_with_acks_in_redis_negative_control(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not takes_more(redis_url, {**app.conf.broker_transport_options, "ack_emulation": True}, monkeypatch)
