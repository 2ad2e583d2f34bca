"""Phone numbers: who may be rung, and where they live."""

import hashlib

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders import phone


@pytest.mark.parametrize("last", range(100, 200, 9))
def test_it_rings_the_demo_numbers(last: int) -> None:
    found = phone.parse(f"+12025550{last}")
    assert (found.callable, found.zone, found.dayfirst) == (True, "America/New_York", False)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("+19005550100", "premium_rate"),
        ("+33899123456", "premium_rate"),
        ("+18005551212", "toll_free"),
        ("+447011234567", "personal_number"),
        ("+443301234567", "uan"),
        ("12345", "short_code"),
        ("RINGBACK", "alphanumeric"),
        ("whatsapp:+12025550101", "alphanumeric"),
        ("+1", "invalid"),
        ("+882161234567", "invalid"),
        ("", "invalid"),
        ("2025550101", "invalid"),
        ("+" + "1" * 5000, "invalid"),
    ],
)
def test_it_says_why_a_number_is_not_rung(raw: str, reason: str) -> None:
    found = phone.parse(raw)
    assert (found.callable, found.reason) == (False, reason)


@pytest.mark.parametrize(
    ("raw", "zone", "sure"),
    [
        ("+447911123456", "Europe/London", True),
        ("+919876543210", "Asia/Kolkata", True),
        ("+18765551234", "America/Jamaica", True),
        ("+353871234567", "Europe/Dublin", True),
        ("+46701234567", "Europe/Stockholm", True),
        ("+14155552671", "America/Los_Angeles", False),
        ("+34600123456", None, False),
        ("+61412345678", None, False),
        ("+79161234567", None, False),
    ],
)
def test_it_names_a_zone_only_where_there_is_one(raw: str, zone: str | None, sure: bool) -> None:
    found = phone.parse(raw)
    assert (found.zone, found.zone_sure) == (zone, sure)


@given(
    st.one_of(st.from_regex(r"\+1[0-9]{9,11}", fullmatch=True), st.from_regex(r"\+[1-9][0-9]{6,13}", fullmatch=True))
)
def test_it_agrees_with_the_library_that_it_asks_in_fewer_steps(raw: str) -> None:
    found = phone.parse.__wrapped__(raw)
    try:
        number = phonenumbers.parse(raw, None)
    except phonenumbers.NumberParseException:
        number = None
    kind = phonenumbers.number_type(number) if number else phonenumbers.PhoneNumberType.UNKNOWN
    region = phonenumbers.region_code_for_number(number) if number else None
    if kind == phonenumbers.PhoneNumberType.UNKNOWN or region == "001":
        assert (found.e164, found.reason) == (None, "invalid")
    else:
        assert number is not None
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert (found.e164, found.region, found.reason) == (e164, region, phone.REFUSED_TYPES.get(kind))


@pytest.mark.parametrize("area", ["202", "340", "416", "456", "500", "671", "684", "700", "787", "800", "876", "900"])
def test_it_reads_a_north_american_number_as_the_library_does(area: str) -> None:
    raw = f"+1{area}5550123"
    assert phone._number(raw) == phonenumbers.parse(raw, None)


def test_the_bucket_is_the_hash_that_it_has_always_been() -> None:
    digest = hashlib.blake2b(b"+12025550101", digest_size=8).digest()
    assert phone.bucket("+12025550101") == int.from_bytes(digest, "big") % 1024


def test_a_keyed_hash_needs_its_key() -> None:
    assert phone.keyed_hash("+12025550101", "a") != phone.keyed_hash("+12025550101", "b")
    assert len(phone.keyed_hash("+12025550101", b"k" * 500)) == 32


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_it_never_raises(raw: str) -> None:
    found = phone.parse(raw)
    assert found.callable is (found.reason is None)
    assert found.e164 is None or 0 <= phone.bucket(found.e164) < 1024
