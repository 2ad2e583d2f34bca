"""Phone numbers: who may be rung, where they live, and the names that we keep them under. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

BUCKETS = 1024
# "+" and 15 digits are E.164's longest; people write spaces and brackets between them.
NUMBER_CHARACTERS_MAX = 40
PARSED_MAX = 16_384  # about 6 MB; a number that is not kept takes 15 µs to read
ZONES_MAX = 4096
# A number of North America as carriers write it; there is one way to read it.
NORTH_AMERICAN: Final = re.compile(r"\+1([2-9][0-9]{9})")

# Countries that write the month before the day in numbers (CLDR's short dates; year-first ones too).
MONTH_FIRST = (
    "US",
    "PR",
    "GU",
    "VI",
    "AS",
    "MP",
    "UM",
    "PH",
    "FM",
    "MH",
    "PW",
    "JP",
    "CN",
    "TW",
    "KR",
    "KP",
    "HU",
    "MN",
)

# libphonenumber's PhoneNumberType → why we do not ring it (carriers' rules: it costs, or nobody lives there).
REFUSED_TYPES = {
    3: "toll_free",
    4: "premium_rate",
    5: "shared_cost",
    6: "voip",
    7: "personal_number",
    8: "pager",
    9: "uan",
    10: "voicemail",
    99: "unknown_type",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A number as it was written, understood.

    `e164` is None where there is no such number; `reason` says why it is not callable; `zone` is the only
    zone that the number can be in, or None (ask); `zone_sure` is False where the number's country has other
    zones too, so that a person who moved may be elsewhere; `dayfirst` is how the country writes 5/6.
    """

    raw: str
    e164: str | None = None
    region: str | None = None
    callable: bool = False
    reason: str | None = None
    zone: str | None = None
    zone_sure: bool = False
    dayfirst: bool = True


@lru_cache(maxsize=PARSED_MAX)
def parse(raw: str) -> Phone:
    """Read a sender's number as a carrier gives it ("+12025550101"). Never raises."""
    # The metadata takes 20 ms to import: pay for it at the first number.
    import phonenumbers
    from phonenumbers import timezone

    text = raw.strip()
    if (reason := _not_a_number(text)) is not None:
        return Phone(raw=raw, reason=reason)
    number = _number(text)
    if number is None:
        return Phone(raw=raw, reason="invalid")
    region, kind = _region_and_kind(number)
    if kind == phonenumbers.PhoneNumberType.UNKNOWN or region is None or region == "001":
        return Phone(raw=raw, reason="invalid", region=region)
    reason = REFUSED_TYPES.get(kind)
    # The same zones; who knows already that the number is of a place need not have it looked at once more.
    of_a_place = phonenumbers.is_number_type_geographical(kind, number.country_code or 0)
    zones = timezone.time_zones_for_geographical_number if of_a_place else timezone.time_zones_for_number
    zone, sure = _zone(tuple(zones(number)), region)
    return Phone(
        raw=raw,
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        region=region,
        callable=reason is None,
        reason=reason,
        zone=zone,
        zone_sure=sure,
        dayfirst=region not in MONTH_FIRST,
    )


def bucket(e164: str) -> int:
    """The person's virtual bucket, 0–1023: the same for ever, nothing re-hashes it."""
    return int.from_bytes(hashlib.blake2b(e164.encode(), digest_size=8).digest(), "big") % BUCKETS


def keyed_hash(e164: str, key: str | bytes) -> str:
    """The number's name in telemetry: 32 hex digits that say nothing without the key."""
    secret = key.encode() if isinstance(key, str) else key
    # blake2b takes 64 bytes of key at most; a longer one is hashed first, as HMAC does.
    if len(secret) > hashlib.blake2b.MAX_KEY_SIZE:
        secret = hashlib.blake2b(secret).digest()
    return hashlib.blake2b(e164.encode(), digest_size=16, key=secret).hexdigest()


def _number(text: str) -> PhoneNumber | None:
    import phonenumbers

    if found := NORTH_AMERICAN.fullmatch(text):
        return phonenumbers.PhoneNumber(country_code=1, national_number=int(found[1]))
    try:
        return phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None


def _region_and_kind(number: PhoneNumber) -> tuple[str | None, int]:
    """`phonenumbers.region_code_for_number` and `_kind`: of most numbers both need the same one look."""
    import phonenumbers

    first = next(iter(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(number.country_code or 0, ())), "")
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(first, None)
    if metadata is not None and metadata.leading_digits is None:
        kind = _kind(number, first)
        if kind != phonenumbers.PhoneNumberType.UNKNOWN:
            return first, kind  # the first region whose number it is
    region = phonenumbers.region_code_for_number(number)
    return region, _kind(number, region)


def _kind(number: PhoneNumber, region: str | None) -> int:
    """`phonenumbers.number_type`, which would look for the region once more. Of a number that is not valid: unknown."""
    from phonenumbers import PhoneMetadata, national_significant_number, phonenumberutil

    unknown: int = phonenumberutil.PhoneNumberType.UNKNOWN
    if region is None:
        return unknown
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(number.country_code or 0, region)
    if metadata is None:
        return unknown
    kind: int = phonenumberutil._number_type_helper(national_significant_number(number), metadata)  # noqa: SLF001
    return kind


def _not_a_number(text: str) -> str | None:
    if NORTH_AMERICAN.fullmatch(text):
        return None
    if not text or len(text) > NUMBER_CHARACTERS_MAX:
        return "invalid"
    digits = sum(c.isdigit() for c in text)
    if any(c.isalpha() for c in text) or ":" in text:
        return "alphanumeric"
    if not text.startswith("+"):
        return "short_code" if digits <= 8 else "invalid"
    return None if text.isascii() else "invalid"


@lru_cache(maxsize=ZONES_MAX)
def _zone(zones: tuple[str, ...], region: str) -> tuple[str | None, bool]:
    """The one zone (canonical name), and whether the country has no other."""
    named, links = _zone_tables()
    of_country = named.get(region, ())
    known = {name for names in named.values() for name in names}
    # Asia/Calcutta → Asia/Kolkata, but Europe/Stockholm stays: a Swede is told Stockholm time.
    candidates = {zone if zone in known else links.get(zone, zone) for zone in zones} & known
    if len(candidates) == 1:
        # Ireland's numbers are said to be in London's zone: a country that has one zone knows better.
        return (of_country[0], True) if len(of_country) == 1 else (candidates.pop(), False)
    # +44 7911 may be Guernsey, Jersey, Man or London: the clock is the same.
    clocks = {links.get(zone, zone) for zone in candidates}
    if len(clocks) == 1 and (len(of_country) != 1 or links.get(of_country[0]) in clocks):
        return clocks.pop(), True
    # Without geography libphonenumber answers with every zone under +1.
    return (of_country[0], True) if len(of_country) == 1 else (None, False)


@lru_cache(maxsize=1)
def _zone_tables() -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Zones per country, and alias → zone, as the IANA time zone database names them."""
    folder = resources.files("tzdata") / "zoneinfo"
    named: dict[str, tuple[str, ...]] = {}
    for line in (folder / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            named[country] = (*named.get(country, ()), zone)
    links = {}
    for line in (folder / "tzdata.zi").read_text("utf-8").splitlines():
        if line.startswith("L "):
            _, target, alias = line.split()
            links[alias] = target
    return named, links
