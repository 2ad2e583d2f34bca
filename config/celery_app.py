"""Celery: doorbells only. No result backend, no late acks, no eta, no beat; publishing is bounded."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready, worker_shutdown
from django.conf import settings

from config import checks, telemetry
from reminders import limits
from reminders.carriers import session

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("ringback", broker=settings.REDIS_URL, include=["reminders.tasks"])
app.conf.update(
    task_ignore_result=True,
    result_backend=None,
    task_acks_late=False,
    task_publish_retry=False,
    task_default_queue=limits.DOORBELL_QUEUE,
    task_serializer="json",
    accept_content=["json"],
    task_store_errors_even_if_ignored=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=limits.PUBLISH_TIMEOUT_SECONDS,
    broker_connection_max_retries=None,
    broker_pool_limit=2,
    broker_transport_options={
        "socket_timeout": limits.PUBLISH_TIMEOUT_SECONDS,
        "socket_connect_timeout": limits.PUBLISH_TIMEOUT_SECONDS,
        "retry_on_timeout": False,
        # kombu's own loop around a lost connection: 0 would mean for ever.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
        # The lease is the only redelivery, so Redis keeps no list of what is not acked yet. With that list an ack
        # that Redis cannot take uses up a place of the prefetch for good: four of them when Redis dies, and the
        # worker looks alive, consumes nothing, and never notices that its connection is gone.
        "ack_emulation": False,
    },
)
app.set_default()


@setup_logging.connect
def _keep_our_logs(**_: object) -> None:
    """Celery configures no logging where this signal has a receiver."""


@worker_init.connect
def _begin(**_: object) -> None:
    checks.refuse()


@worker_ready.connect
def _serve_metrics(**_: object) -> None:
    telemetry.serve_metrics()


@worker_shutdown.connect
def _flush(**_: object) -> None:
    session.close()
    telemetry.flush()
