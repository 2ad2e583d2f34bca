"""Objectives and alerts → Alertmanager's file: one page per cause. Pure.

What silences what is decided here and in `config.observing.alerting` from the same data: a cause silences while it
fires, and for `echo_seconds` of what it silences after that.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from config.observing.alerting import burn_name
from config.observing.slos import ECHO, LOOKS, LookedFor
from deploy.slo.prometheus import Rule, window


def alertmanager(looked_for: LookedFor) -> dict[str, Any]:
    """Alertmanager's file. Where pages go is for each deployment to add."""
    return {
        "route": {
            "receiver": "nobody",
            "group_by": ["alertname"],
            "group_wait": "5s",
            "group_interval": "30s",
            # What says that Prometheus looks is for a dead man's switch, and for the watch that asks for it.
            "routes": [{"receiver": "nobody", "matchers": [f'alertname=~"{LOOKS}|{ECHO}"']}],
        },
        "receivers": [{"name": "nobody"}],
        "inhibit_rules": [*_of_symptoms(looked_for), *_of_burns(looked_for)],
    }


def _of_symptoms(looked_for: LookedFor) -> Iterator[Rule]:
    for alert in looked_for.alerts:
        if causes := looked_for.causes(alert.name):
            yield from _both(causes, alert.echo_seconds, [f'alertname="{alert.name}"'])


def _of_burns(looked_for: LookedFor) -> Iterator[Rule]:
    for slo in looked_for.slos:
        for burn in looked_for.burns:
            target = [f'alertname="{burn_name(slo.name, burn.severity)}"', f'over="{window(burn.long_seconds)}"']
            if causes := looked_for.burn_causes(slo.name):
                yield from _both(causes, burn.echo_seconds, target)


def _both(causes: Sequence[str], echo_seconds: float, target: list[str]) -> Iterator[Rule]:
    """The cause itself, which is heard of first; and that it has fired lately, which outlasts it."""
    names = "|".join(causes)
    yield {"source_matchers": [f'alertname=~"{names}"'], "target_matchers": target}
    lately = [f'alertname="{ECHO}"', f'cause=~"{names}"', f'within="{window(int(echo_seconds))}"']
    yield {"source_matchers": lately, "target_matchers": target}
