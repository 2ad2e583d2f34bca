"""The SLIs: every series stands at zero from the start, and counting can be switched off to measure it."""

from typing import Final

import pytest
from prometheus_client import Counter, Gauge, Histogram

from reminders import metrics

# Their label is an account, known once the settings are read.
OPEN_LABELS: Final = {"CARRIER_BREAKER_OPEN"}


@pytest.mark.parametrize("name", [name for name, one in vars(metrics).items() if isinstance(one, Counter | Gauge)])
def test_a_series_stands_at_zero_from_the_start(name: str) -> None:
    (family,) = getattr(metrics, name).collect()
    assert family.samples or name in OPEN_LABELS


def test_nothing_is_counted_once_counting_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, method in ((Counter, "inc"), (Gauge, "set"), (Gauge, "inc"), (Histogram, "observe")):
        monkeypatch.setattr(kind, method, getattr(kind, method))  # so that it is put back
    metrics.stop_counting()
    counter, gauge, histogram = Counter("c", "c", registry=None), Gauge("g", "g", registry=None), metrics.INTAKE_SECONDS
    before = [sample.value for sample in next(iter(histogram.collect())).samples]
    counter.inc()
    gauge.set(7)
    with histogram.time():
        pass
    assert [sample.value for sample in next(iter(counter.collect())).samples if sample.name == "c_total"] == [0.0]
    assert [sample.value for sample in next(iter(gauge.collect())).samples] == [0.0]
    assert [sample.value for sample in next(iter(histogram.collect())).samples] == before
