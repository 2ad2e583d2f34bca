"""Reading a tier's file."""

from pathlib import Path

import pytest

from deploy.local import tiers
from deploy.local.problems import CannotStartError


def test_it_reads_every_tier_that_is_shipped() -> None:
    assert "durable" in tiers.names()
    for name in tiers.names():
        tier = tiers.read(name)
        assert tier.name == name
        assert tier.adds
        assert tier.survives
        assert all(kind.count >= 0 for kind in tier.kinds)


def test_it_reads_a_file_of_ones_own(tmp_path: Path) -> None:
    place = tmp_path / "mine.toml"
    place.write_text(
        'adds = "a"\nsurvives = "b"\n[settings]\nRINGBACK_LEASE_SECONDS = 3\n'
        "[processes.web]\ncount = 2\nsettings = { RINGBACK_WEB_THREADS = 4 }\n"
    )
    tier = tiers.read(str(place))
    assert tier.name == "mine"
    assert tier.settings == {"RINGBACK_LEASE_SECONDS": "3"}
    assert (tier.kinds[0].name, tier.kinds[0].count) == ("web", 2)
    assert tier.kinds[0].settings == {"RINGBACK_WEB_THREADS": "4"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adds = ", "cannot be read"),
        ('adds = "a"\nsurvives = "b"\n', "'processes'"),
        ('adds = "a"\nsurvives = "b"\nsettigns = {}\n[processes.web]\n', "unknown key 'settigns'"),
        ('adds = "a"\nsurvives = "b"\n[processes.web]\ncuont = 1\n', "unknown key 'cuont'"),
        ('adds = "a"\nsurvives = "b"\n[processes.web]\ncount = 10\n', "must be 0 to 9"),
        ('adds = "a"\nsurvives = "b"\n[processes]\nweb = 1\n', "cannot be read"),
    ],
)
def test_it_says_what_is_wrong_with_a_file(tmp_path: Path, text: str, said: str) -> None:
    place = tmp_path / "mine.toml"
    place.write_text(text)
    with pytest.raises(CannotStartError, match=said) as refusal:
        tiers.read(str(place))
    assert refusal.value.code == 2


def test_it_names_the_tiers_where_there_is_none_of_that_name() -> None:
    with pytest.raises(CannotStartError, match=r"no tier 'golden': choose one of .*durable"):
        tiers.read("golden")
