"""What the simulated carrier reads from the environment at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """A setting is missing or wrong; the text says which one and what to do."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account at the carrier: its credentials and the number that it serves."""

    sid: str
    token: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the carrier keeps its state, where it listens and whom it serves."""

    home: Path
    port: int
    public_base: str
    accounts: tuple[Account, ...]
    tier: str = "durable"  # whom it serves: on `naive` there is nothing to trace, and what breaks stays broken
    overrides: str = ""  # of the webhook of an inbound SMS, as Twilio's fragment spells them: rc=2&rp=ct,5xx

    @property
    def sms_url(self) -> str:
        """The webhook of an inbound SMS."""
        return f"{self.public_base}/carriers/twilio/sms" + (f"#{self.overrides}" if self.overrides else "")

    @property
    def voice_url(self) -> str:
        """The webhook of a call to the service number."""
        return f"{self.public_base}/carriers/twilio/voice-in"


def read(*, environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises SettingsError with a sentence for a person."""
    accounts = [
        Account(
            sid=_need(environ, "RINGBACK_TWILIO_ACCOUNT_SID"),
            token=_need(environ, "RINGBACK_TWILIO_AUTH_TOKEN"),
            number=_need(environ, "RINGBACK_SERVICE_NUMBER"),
        )
    ]
    for entry in filter(None, environ.get("RINGBACK_CARRIER_ACCOUNTS", "").split(",")):
        parts = entry.strip().split(":")
        if len(parts) != 3:
            raise SettingsError("RINGBACK_CARRIER_ACCOUNTS must be SID:TOKEN:NUMBER, separated by commas.")
        accounts.append(Account(sid=parts[0], token=parts[1], number=parts[2]))
    return Settings(
        home=Path(environ.get("RINGBACK_HOME", ".ringback")) / environ.get("RINGBACK_INSTANCE", "carrier"),
        port=_port(environ.get("RINGBACK_CARRIER_PORT", "8010")),
        public_base=environ.get("RINGBACK_PUBLIC_BASE", "http://127.0.0.1:8000").rstrip("/"),
        accounts=tuple(accounts),
        tier=environ.get("RINGBACK_TIER", "durable"),
        overrides=environ.get("RINGBACK_CARRIER_OVERRIDES", ""),
    )


def _need(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set: `make up` sets it, or give it in the environment.")
    return value


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise SettingsError(f"RINGBACK_CARRIER_PORT must be a port number, not {text!r}.")
    return int(text)
