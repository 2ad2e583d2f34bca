"""Prometheus and Alertmanager beside the system: where they run, and what they are told."""

import subprocess
from pathlib import Path

import pytest

from deploy.local import plan, ports, prometheus, settings, tiers
from deploy.local.home import Home
from deploy.local.problems import CannotStartError
from deploy.local.program import Program

needs_both = pytest.mark.skipif(bool(prometheus.lack()), reason=prometheus.lack())


def system(root: Path, *, tier: str = "durable", **environ: str) -> settings.System:
    home = Home(root=root / "home")
    home.make()
    return settings.system(tier=tiers.read(tier), home=home, ports=ports.ports("18100"), environ=environ)


def looking(chosen: settings.System) -> dict[str, Program]:
    return {one.name: one for one in plan.plan(chosen, migrates=False) if one.name in prometheus.KINDS}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "lack", lambda: "")


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "lack", lambda: "prometheus not installed")


@pytest.mark.usefixtures("installed")
def test_they_run_where_they_are_installed_and_nobody_waits_for_them(tmp_path: Path) -> None:
    chosen = system(tmp_path)
    assert chosen.settings["RINGBACK_ALERTMANAGER_URL"] == "http://127.0.0.1:18157"
    found = looking(chosen)
    assert set(found) == set(prometheus.KINDS)
    assert {(one.awaited, one.spared) for one in found.values()} == {(False, True)}
    assert all({"web-1", "worker-1", "dispatch-1", "watch"} <= set(one.needs) for one in found.values())
    assert {plan.listening(chosen)[name] for name in prometheus.KINDS} == {18156, 18157}
    assert {target["labels"]["instance"] for target in plan.targets(chosen)} & set(prometheus.KINDS) == set()  # type: ignore[index]


@pytest.mark.usefixtures("installed")
def test_they_are_told_no_secret(tmp_path: Path) -> None:
    chosen = system(tmp_path)
    secrets = [place.read_text().strip() for place in chosen.home.secrets.iterdir()]
    assert secrets != []
    for one in looking(chosen).values():
        told = [*one.command, *one.environment.values()]
        assert [secret for secret in secrets for word in told if secret in word] == []


@pytest.mark.usefixtures("installed")
def test_they_do_not_run_where_that_is_wanted(tmp_path: Path) -> None:
    for chosen in (
        system(tmp_path, RINGBACK_PROMETHEUS="0"),
        system(tmp_path, RINGBACK_ALERTMANAGER_URL="http://10.0.0.1:9093"),
        system(tmp_path, tier="naive"),
    ):
        assert looking(chosen) == {}
    assert (
        system(tmp_path, RINGBACK_ALERTMANAGER_URL="http://a:1").settings["RINGBACK_ALERTMANAGER_URL"] == "http://a:1"
    )


@pytest.mark.usefixtures("absent")
def test_the_watch_is_alone_where_they_are_not_installed(tmp_path: Path) -> None:
    chosen = system(tmp_path)
    assert "RINGBACK_ALERTMANAGER_URL" not in chosen.settings
    assert looking(chosen) == {}
    with pytest.raises(CannotStartError, match="not installed"):
        system(tmp_path, RINGBACK_PROMETHEUS="1")


def test_it_refuses_another_word(tmp_path: Path) -> None:
    with pytest.raises(CannotStartError, match="auto, 0 or 1"):
        system(tmp_path, RINGBACK_PROMETHEUS="maybe")


@needs_both
def test_their_own_tools_agree_with_what_they_are_told(tmp_path: Path) -> None:
    root = tmp_path / "a place with: blanks"
    root.mkdir()
    chosen = system(root, RINGBACK_WATCH_SECONDS="1")
    (chosen.home.run / "targets.json").write_text("[]")
    assert set(looking(chosen)) == set(prometheus.KINDS)
    place = chosen.home.root / "prometheus" / "prometheus.yml"
    done = subprocess.run(
        ["promtool", "check", "config", str(place)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout
