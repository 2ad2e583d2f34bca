"""Signatures and time limits of webhooks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from deploy.local.carrier.webhooks import Limits, sign, split_overrides

TOKEN = "secret"
URL = "https://ringback.example/carriers/twilio/sms?attempt=7"
pairs = st.lists(st.tuples(st.text(min_size=1), st.text()))


class Posted(MultiDict[str]):
    """As a web framework hands the form to the validator."""

    def getlist(self, name: str) -> list[str]:
        return self.getall(name)


@given(pairs)
def test_it_signs_what_the_official_validator_accepts(params: list[tuple[str, str]]) -> None:
    signature = sign(token=TOKEN, url=URL, params=params)
    assert RequestValidator(TOKEN).validate(URL, Posted(params), signature)


@pytest.mark.parametrize(
    "params", [[("Body", "")], [("a", "2"), ("a", "1")], [("a", "1"), ("a", "1")], [("Body", "é 你 🎉 +&=")]]
)
@pytest.mark.parametrize("address", [URL, "https://ringback.example:443/sms", "http://127.0.0.1:8000/sms"])
def test_it_signs_the_awkward_cases(params: list[tuple[str, str]], address: str) -> None:
    signature = sign(token=TOKEN, url=address, params=params)
    assert RequestValidator(TOKEN).validate(address, Posted(params), signature)


@pytest.mark.parametrize(
    ("url", "params"),
    [(URL + "1", [("a", "1")]), (URL, [("a", "2")]), (URL, [("a", "1"), ("b", "")]), (URL, [])],
)
def test_it_signs_nothing_that_was_tampered_with(url: str, params: list[tuple[str, str]]) -> None:
    signature = sign(token=TOKEN, url=URL, params=[("a", "1")])
    assert not RequestValidator(TOKEN).validate(url, Posted(params), signature)


@pytest.mark.parametrize(
    ("fragment", "limits"),
    [
        ("", Limits()),
        (
            "#ct=2000&rt=4000&tt=9000&rc=5&rp=all",
            Limits(connect=2000, read=4000, total=9000, retries=5, policy=frozenset({"all"})),
        ),
        ("#rc=0", Limits(retries=0)),
        ("#rp=4xx,rt", Limits(policy=frozenset({"4xx", "rt"}))),
        ("#ct=1&rt=99999&tt=99999&rc=9&rp=frob", Limits(connect=100, retries=5)),
        ("#ct=x&rc=-1", Limits()),
    ],
)
def test_it_reads_the_overrides_in_the_fragment(fragment: str, limits: Limits) -> None:
    assert split_overrides("http://h/p?q=1" + fragment) == ("http://h/p?q=1", limits)
