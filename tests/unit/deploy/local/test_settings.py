"""What a system is told, and who wins."""

import json
import subprocess
from pathlib import Path

import pytest

from deploy.local import plan, platform, ports, settings, tiers, up
from deploy.local.home import Home, read_environment, write_private
from deploy.local.problems import CannotStartError


def system(root: Path, *, tier: str = "durable", **environ: str) -> settings.System:
    home = Home(root=root / "home")
    home.make()
    environ = {"RINGBACK_PROMETHEUS": "0", "RINGBACK_ETCD": "0", "RINGBACK_HAPROXY": "0", **environ}
    return settings.system(tier=tiers.read(tier), home=home, ports=ports.ports("18100"), environ=environ)


def test_it_makes_secrets_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first, second = system(tmp_path), system(tmp_path)
    assert first.settings == second.settings
    places = list(first.home.secrets.iterdir())
    assert {place.stat().st_mode & 0o777 for place in places} == {0o600}
    assert first.home.secrets.stat().st_mode & 0o777 == 0o700
    sid = first.settings["RINGBACK_TWILIO_ACCOUNT_SID"]
    assert sid.startswith("AC")
    assert len(sid) == 34
    assert set(sid[2:]) <= set("0123456789abcdef")


def test_it_lets_the_person_win_over_the_tier(tmp_path: Path) -> None:
    assert system(tmp_path).settings["RINGBACK_DRAIN_SECONDS"] == "6"
    chosen = system(tmp_path, RINGBACK_DRAIN_SECONDS="2", RINGBACK_INSTANCE="web-9", HOME="/nowhere")
    assert chosen.settings["RINGBACK_DRAIN_SECONDS"] == "2"
    assert "RINGBACK_INSTANCE" not in chosen.settings
    assert "HOME" not in chosen.settings


def test_it_uses_servers_from_outside_and_starts_none_beside_them(tmp_path: Path) -> None:
    chosen = system(tmp_path, DATABASE_URL="postgresql://a:b@db/c", REDIS_URL="redis://cache")
    assert chosen.settings["DATABASE_URL"] == "postgresql://a:b@db/c"
    assert chosen.settings["RINGBACK_OWNER_DATABASE_URL"] == "postgresql://a:b@db/c"
    metrics = {f"{name}'s metrics" for name in ("dispatch-1", "worker-1", "watch")}
    assert set(plan.listening(chosen)) == {"web-1", "carrier", "traces"} | metrics
    names = [program.name for program in plan.plan(chosen, migrates=True)]
    assert names == ["carrier", "web-1", "dispatch-1", "worker-1", "watch", "traces", "migrations"]


def test_it_traces_nothing_of_what_makes_the_tables(tmp_path: Path) -> None:
    by_name = {program.name: program for program in plan.plan(system(tmp_path), migrates=True)}
    assert by_name["web-1"].environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert by_name["migrations"].environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == ""


def test_it_writes_what_runs_for_commands_and_for_drivers(tmp_path: Path) -> None:
    chosen = system(tmp_path)
    settings.write(chosen)
    run = chosen.home.run
    assert read_environment(run / "env") == chosen.settings
    interface = json.loads((run / "interface.json").read_text())
    assert interface["web"] == "http://127.0.0.1:18100"
    assert interface["carrier"] == "http://127.0.0.1:18110"
    assert interface["service_number"] == "+12025550100"
    assert ":18120/" in interface["database_url"]
    assert ":18130/" in interface["redis_url"]
    assert {(run / name).stat().st_mode & 0o777 for name in ("env", "interface.json")} == {0o600}


def test_it_plans_every_process_with_a_place_of_its_own(tmp_path: Path) -> None:
    programs = plan.plan(system(tmp_path), migrates=False)
    assert [program.name for program in programs] == [
        "postgres-1",
        "redis",
        "carrier",
        "web-1",
        "dispatch-1",
        "worker-1",
        "watch",
        "traces",
    ]
    by_name = {program.name: program for program in programs}
    assert by_name["web-1"].needs == ("postgres-1", "redis")
    metrics = [program.environment.get("RINGBACK_METRICS_PORT") for program in programs]
    assert len(set(metrics[2:])) == 6
    ranks = sorted(programs, key=lambda program: program.stop_rank)
    servers = ["web-1", "carrier", "redis", "postgres-1"]
    assert [program.name for program in ranks if program.name in servers] == servers
    slowest = {program.stop_rank: program.stop_seconds for program in programs}
    assert sum(slowest.values()) < 15


def test_it_puts_a_proxy_where_clients_look_for_the_web(tmp_path: Path) -> None:
    chosen = system(tmp_path, tier="redundant")
    assert plan.listening(chosen) == {
        "postgres-1": 18120,
        "redis": 18130,
        "carrier": 18110,
        "carrier-2": 18111,
        "proxy": 18100,
        "web-1": 18101,
        "web-2": 18102,
        "traces": 18155,
        "dispatch-1's metrics": 18147,
        "dispatch-2's metrics": 18148,
        "worker-1's metrics": 18149,
        "worker-2's metrics": 18150,
        "watch's metrics": 18151,
    }
    by_name = {program.name: program for program in plan.plan(chosen, migrates=False)}
    assert {"dispatch-1", "dispatch-2", "worker-1", "worker-2"} < set(by_name)
    assert by_name["proxy"].environment["PORT"] == "18100"
    assert by_name["proxy"].environment["RINGBACK_PROXY_BACKENDS"] == "127.0.0.1:18101,127.0.0.1:18102"
    metrics = [program.environment.get("RINGBACK_METRICS_PORT") for program in by_name.values()]
    assert len(set(metrics) - {None}) == len([port for port in metrics if port])
    assert max(int(port) for port in metrics if port) <= 18154
    settings.write(chosen)
    interface = json.loads((chosen.home.run / "interface.json").read_text())
    assert (interface["web"], interface["carrier"]) == ("http://127.0.0.1:18100", "http://127.0.0.1:18110")


def test_it_gives_the_second_carrier_an_account_of_its_own(tmp_path: Path) -> None:
    chosen = system(tmp_path, tier="redundant")
    assert chosen.settings["RINGBACK_TWILIO_2_BASE"] == "http://127.0.0.1:18111"
    by_name = {program.name: program for program in plan.plan(chosen, migrates=False)}
    first, second = by_name["carrier"].environment, by_name["carrier-2"].environment
    for name in ("RINGBACK_TWILIO_ACCOUNT_SID", "RINGBACK_TWILIO_AUTH_TOKEN", "RINGBACK_SERVICE_NUMBER"):
        assert first[name] != second[name]
    assert second["RINGBACK_TWILIO_AUTH_TOKEN"] == chosen.settings["RINGBACK_TWILIO_2_AUTH_TOKEN"]
    assert second["RINGBACK_CARRIER_PORT"] == "18111"
    assert "RINGBACK_TWILIO_2_BASE" not in system(tmp_path).settings


@pytest.mark.parametrize("text", ["", "0", "80", "65500", "eight", "１８０００", "-1"])
def test_it_refuses_a_port_that_leaves_no_room(text: str) -> None:
    with pytest.raises(CannotStartError, match="PORT must be a number"):
        ports.ports(text)


def test_it_replaces_a_file_at_once(tmp_path: Path) -> None:
    place = tmp_path / "name.pid"
    write_private(place, "1\n")
    write_private(place, "2\n")
    assert place.read_text() == "2\n"
    assert [one.name for one in tmp_path.iterdir()] == ["name.pid"]


def test_it_runs_three_nodes_that_follow_one_another(tmp_path: Path) -> None:
    chosen = system(tmp_path, tier="replicated")
    assert chosen.is_replicated
    hosts = "127.0.0.1:18120,127.0.0.1:18121,127.0.0.1:18122"
    tail = "/ringback?target_session_attrs={}&connect_timeout=2"
    assert chosen.settings["DATABASE_URL"].endswith("@" + hosts + tail.format("read-write"))
    assert chosen.settings["RINGBACK_OWNER_DATABASE_URL"].endswith("@" + hosts + tail.format("read-write"))
    assert chosen.settings["RINGBACK_REPLICA_DATABASE_URL"].endswith("@" + hosts + tail.format("prefer-standby"))
    by_name = {program.name: program for program in plan.plan(chosen, migrates=True)}
    assert by_name["migrations"].needs == ("cluster",)
    assert by_name["web-1"].needs == ("cluster", "redis", "migrations")
    assert "postgres-1" not in by_name["postgres-1"].needs
    assert "postgres-1" in by_name["postgres-2"].needs  # the first time: there is nothing to clone before
    assert not by_name["postgres-3"].awaited
    listening = plan.listening(chosen)
    assert {listening[f"raft-{number}"] for number in (1, 2, 3)} == {18126, 18127, 18128}
    metrics = [int(program.environment.get("RINGBACK_METRICS_PORT", 0)) for program in by_name.values()]
    assert max(metrics) <= 18154
    first = json.loads((chosen.home.root / "postgres-1" / "patroni.json").read_text())
    second = json.loads((chosen.home.root / "postgres-2" / "patroni.json").read_text())
    assert first["bootstrap"]["dcs"]["synchronous_mode_strict"] is True
    assert "bootstrap" not in second  # only one may found a cluster
    assert (chosen.home.root / "postgres-1" / "patroni.json").stat().st_mode & 0o777 == 0o600


def test_it_rewinds_a_node_with_one_sync_instead_of_a_thousand(tmp_path: Path) -> None:
    chosen = system(tmp_path, tier="replicated")
    plan.plan(chosen, migrates=False)
    told = json.loads((chosen.home.root / "postgres-1" / "patroni.json").read_text())["postgresql"]
    rewind = told["bin_name"]["pg_rewind"]
    # Patroni asks so whether it can rewind at all; where that fails it clones the node anew.
    assert subprocess.run([rewind, "--help"], capture_output=True, check=False).returncode == 0
    if platform.LINUX:
        assert "--sync-method=syncfs" in Path(rewind).read_text()
        assert told["parameters"]["recovery_init_sync_method"] == "syncfs"


def test_it_starts_no_nodes_beside_a_database_from_outside(tmp_path: Path) -> None:
    chosen = system(tmp_path, tier="replicated", DATABASE_URL="postgresql://a:b@db/c")
    names = {program.name for program in plan.plan(chosen, migrates=False)}
    assert not {name for name in names if name.startswith(("postgres", "raft", "leader-key", "cluster"))}
    assert "RINGBACK_REPLICA_DATABASE_URL" not in chosen.settings


def test_it_lets_no_other_tier_start_from_one_of_three_nodes(tmp_path: Path) -> None:
    three, one = system(tmp_path, tier="replicated"), system(tmp_path)
    write_private(three.home.replicated, "three nodes\n")
    up._refuse_other_layout(three)
    with pytest.raises(CannotStartError, match="belongs to three Postgres nodes: TIER=replicated make up"):
        up._refuse_other_layout(one)
