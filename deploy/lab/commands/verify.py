"""./manage.py lab verify: every fault must bite, and be gone once it is healed."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.lab import faults
from deploy.lab.faults import Bite, Fault, FaultError
from deploy.local.home import Home, read_environment

HELP = "Inject each fault, see that it bites, heal it, see that it is gone. Say what cannot be tried here."
BITE_SECONDS: Final = 30.0


def add_arguments(parser: ArgumentParser) -> None:
    """Which faults."""
    parser.add_argument("fault", nargs="*", help="their names; without any: all")
    parser.add_argument("--way", help="one way only; without it every way that is possible here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="what was measured, for the pages")


def run(home: Home, options: Mapping[str, Any]) -> int:
    """Try them one after the other; 1 where one does not bite or does not heal."""
    wanted = [faults.fault(name) for name in options["fault"]] or faults.catalogue()
    found = []
    for fault in wanted:
        ways: list[str | None] = [options["way"]] if options["way"] else [*faults.possible_ways(home, fault.name)]
        for way in ways or [None]:
            found.append(verify(home, fault, way=way))
            print(_line(found[-1]), flush=True)
    failed = [one for one in found if one["verdict"] == "failed"]
    absent = sum(one["verdict"] == "not here" for one in found)
    good = len(found) - len(failed) - absent
    print(f"{len(found)} tried: {good} bite and heal, {len(failed)} do not, {absent} not here.")
    if options["json"]:
        _keep(options["json"], found)
    return 1 if failed else 0


def verify(home: Home, fault: Fault, *, way: str | None = None, target: str | None = None) -> dict[str, Any]:
    """One fault: quiet before it, in force while it is injected, gone once healed; each with its measurement."""
    tier = read_environment(home.run / "env").get("RINGBACK_TIER", "")
    found: dict[str, Any] = {"fault": fault.name, "tier": tier, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    if way is not None:
        found["way"] = way
    lack = faults.missing(home, fault.name)
    if lack is not None:
        return {**found, "verdict": "not here", "why": lack}
    began = time.monotonic()
    try:
        found["before"] = _until(home, fault, target, bites=False, seconds=fault.heal_seconds).measured
        injected = faults.inject(home, fault.name, way=way, target=target)
        try:
            found |= {"target": injected.target, "way": injected.way}
            found["during"] = _until(home, fault, injected.target, bites=True, seconds=BITE_SECONDS).measured
        finally:
            faults.heal(home, injected.id)
        healed = time.monotonic()
        found["after"] = _until(home, fault, injected.target, bites=False, seconds=fault.heal_seconds).measured
        found["heal_seconds"] = round(time.monotonic() - healed, 2)
    except (FaultError, OSError) as problem:
        return {**found, "verdict": "failed", "why": str(problem)}
    return {**found, "verdict": "bites and heals", "seconds": round(time.monotonic() - began, 1)}


def _keep(place: Path, found: list[dict[str, Any]]) -> None:
    """Write what was found, beside what other runs found of other faults and ways; `not here` hides nothing."""
    before = json.loads(place.read_text()) if place.exists() else []
    new = {(one["fault"], one.get("way")) for one in found}
    tried = {one["fault"] for one in found if one["verdict"] != "not here"}
    kept = [one for one in before if (one["fault"], one.get("way")) not in new and _says_something(one, tried)]
    ways = {(fault.name, way.name) for fault in faults.catalogue() for way in fault.ways}
    kept = [one for one in kept if one["verdict"] == "not here" or (one["fault"], one.get("way")) in ways]
    known = {one["fault"] for one in kept}
    added = [one for one in found if one["verdict"] != "not here" or one["fault"] not in known]
    whole = sorted([*kept, *added], key=lambda one: (one["fault"], one.get("way") or ""))
    place.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def _says_something(one: dict[str, Any], tried: set[str]) -> bool:
    return one["verdict"] != "not here" or one["fault"] not in tried


def _until(home: Home, fault: Fault, target: str | None, *, bites: bool, seconds: float) -> Bite:
    """Measure until it says so; a measurement that cannot be taken says nothing."""
    until = time.monotonic() + seconds
    last = "nothing"
    while True:
        try:
            said = faults.measure(home, fault.name, target=target)
            if said.bites is bites:
                return said
            last = said.measured
        except (FaultError, OSError) as problem:
            last = str(problem)
        if time.monotonic() > until:
            what = "does not bite" if bites else "still bites"
            raise FaultError(f"it {what} after {seconds:g} s; measured last: {last}")
        time.sleep(0.1)


def _line(found: dict[str, Any]) -> str:
    if found["verdict"] == "bites and heals":
        return (
            f"ok        {found['fault']} ({found['way']} at {found['target']}, {found['seconds']} s)\n"
            f"            before: {found['before']}\n"
            f"            in force: {found['during']}\n"
            f"            healed: {found['after']}"
        )
    return f"{'FAILED' if found['verdict'] == 'failed' else '-':<9} {found['fault']}: {found['why']}"
