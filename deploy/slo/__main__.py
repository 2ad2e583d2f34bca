"""`python -m deploy.slo` writes everything that follows from deploy/slo/*.yaml; `--check` says what would change."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import yaml

from config.observing.slos import LookedFor
from deploy.slo import grafana, inhibitions, pages, prometheus
from deploy.slo.reading import WrongData, read

REPOSITORY: Final = Path(__file__).resolve().parents[2]
HEAD: Final = "# Written from deploy/slo/ by `python -m deploy.slo`. Change it there.\n"


def files(looked_for: LookedFor) -> Mapping[str, str]:
    """Every generated file, by its place in the repository."""
    return {
        "config/observing/looked_for.json": json.dumps(asdict(looked_for), indent=1) + "\n",
        "deploy/prometheus/rules/ringback.yml": _yaml(prometheus.rules(looked_for)),
        "deploy/prometheus/tests/symptoms.yml": _yaml(prometheus.symptom_tests(looked_for)),
        "deploy/prometheus/tests/burn-rates.yml": _yaml(prometheus.burn_tests(looked_for)),
        "deploy/alertmanager/alertmanager.yml": _yaml(inhibitions.alertmanager(looked_for)),
        **grafana.dashboards(looked_for),
        "docs/reference/slos.md": pages.slos(looked_for),
        "docs/reference/alerts.md": pages.alerts(looked_for),
        **{f"docs/runbooks/{name}.md": text for name, text in pages.burn_runbooks(looked_for).items()},
    }


def drifted(place: Path = REPOSITORY) -> list[str]:
    """The generated files that are not what the data says now."""
    wanted = files(read())
    return [name for name, text in wanted.items() if not (place / name).exists() or (place / name).read_text() != text]


def main() -> None:
    """Write, or check."""
    try:
        stale = drifted()
        if "--check" in sys.argv[1:]:
            sys.exit(f"Not up to date: {', '.join(stale)}. Run: .venv/bin/python -m deploy.slo" if stale else 0)
        for name, text in files(read()).items():
            (REPOSITORY / name).parent.mkdir(parents=True, exist_ok=True)
            (REPOSITORY / name).write_text(text)
    except WrongData as error:
        sys.exit(f"deploy/slo: {error}")
    print(f"written: {', '.join(stale) or 'nothing had changed'}")


def _yaml(told: Mapping[str, Any]) -> str:
    return HEAD + str(yaml.safe_dump(told, sort_keys=False, width=120, allow_unicode=True))


if __name__ == "__main__":
    main()
