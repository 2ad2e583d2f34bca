"""HAProxy in the proxy's place: where it is installed, and told by variables where the web instances are."""

from pathlib import Path

import pytest

from deploy.local import haproxy, plan, ports, settings, tiers
from deploy.local.home import Home
from deploy.local.problems import CannotStartError
from deploy.local.program import Program


def system(root: Path, *, tier: str = "redundant", **environ: str) -> settings.System:
    home = Home(root=root / "home")
    home.make()
    told = {"RINGBACK_PROMETHEUS": "0", **environ}
    return settings.system(tier=tiers.read(tier), home=home, ports=ports.ports("18100"), environ=told)


def proxy(chosen: settings.System) -> Program:
    (found,) = [one for one in plan.plan(chosen, migrates=False) if one.name == "proxy"]
    return found


@pytest.mark.parametrize(
    ("missing", "asked", "stands"),
    [
        ("", "auto", True),
        ("", "1", True),
        ("", "0", False),
        ("not installed", "auto", False),
        ("not installed", "0", False),
    ],
)
def test_it_stands_where_it_is_installed_and_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, asked: str, *, stands: bool
) -> None:
    monkeypatch.setattr(haproxy, "lack", lambda: missing)
    assert ("haproxy.cfg" in " ".join(proxy(system(tmp_path, RINGBACK_HAPROXY=asked)).command)) is stands


def test_it_says_what_is_missing_where_it_must_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haproxy, "lack", lambda: "haproxy is not installed")
    with pytest.raises(CannotStartError, match="RINGBACK_HAPROXY=1, but haproxy is not installed"):
        system(tmp_path, RINGBACK_HAPROXY="1")
    assert not system(tmp_path, tier="durable").embeds_haproxy  # a tier without a proxy has no place for it


def test_a_link_of_the_lab_takes_a_backends_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haproxy, "lack", lambda: "")
    names = [haproxy.BACKEND.format(number) for number in (1, 2)]
    plain, linked = (proxy(system(tmp_path, RINGBACK_LAB=lab)) for lab in ("0", "1"))
    assert [plain.environment[name] for name in names] == ["127.0.0.1:18101", "127.0.0.1:18102"]
    assert all(int(linked.environment[name].rpartition(":")[2]) >= 18160 for name in names)
    told = haproxy.settings(port=18100, metrics_port=18140, webs=2)
    assert all(told.count(f'"${{{name}}}"') == 2 for name in names)
    assert "18101" not in told
