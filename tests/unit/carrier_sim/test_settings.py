"""The settings of the simulated carrier."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.carrier.settings import Account, SettingsError, read

ENVIRON = {
    "RINGBACK_HOME": "/data",
    "RINGBACK_CARRIER_PORT": "8010",
    "RINGBACK_PUBLIC_BASE": "http://127.0.0.1:8000/",
    "RINGBACK_TWILIO_ACCOUNT_SID": "AC1",
    "RINGBACK_TWILIO_AUTH_TOKEN": "secret",
    "RINGBACK_SERVICE_NUMBER": "+12025550100",
}


def test_it_reads_the_environment() -> None:
    settings = read(environ=ENVIRON | {"RINGBACK_CARRIER_ACCOUNTS": "AC2:other:+12025550199"})
    second = read(environ=ENVIRON | {"RINGBACK_INSTANCE": "carrier-2"})
    assert second.home == Path("/data/carrier-2")
    assert settings.home == Path("/data/carrier")
    assert settings.sms_url == "http://127.0.0.1:8000/carriers/twilio/sms"
    again = read(environ=ENVIRON | {"RINGBACK_CARRIER_OVERRIDES": "rc=2&rp=ct,5xx"})
    assert again.sms_url == "http://127.0.0.1:8000/carriers/twilio/sms#rc=2&rp=ct,5xx"
    assert settings.voice_url == "http://127.0.0.1:8000/carriers/twilio/voice-in"
    assert settings.accounts == (
        Account(sid="AC1", token="secret", number="+12025550100"),
        Account(sid="AC2", token="other", number="+12025550199"),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RINGBACK_TWILIO_ACCOUNT_SID", ""),
        ("RINGBACK_TWILIO_AUTH_TOKEN", " "),
        ("RINGBACK_SERVICE_NUMBER", ""),
        ("RINGBACK_CARRIER_PORT", "x"),
        ("RINGBACK_CARRIER_PORT", "70000"),
        ("RINGBACK_CARRIER_ACCOUNTS", "AC2"),
    ],
)
def test_it_names_the_setting_that_is_wrong(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(environ=ENVIRON | {name: value})
