"""Dashboards as data → the JSON that Grafana takes, built by Grafana's own SDK. Pure."""

import json
from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model

from config.observing.slos import LookedFor
from deploy.slo.panels import Board, Panel, boards

PLACE: Final = "deploy/grafana"
_SOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT: Final = 7
_GOOD, _NEUTRAL, _BAD = "#0072B2", "text", "#D55E00"  # told apart by everybody (Okabe and Ito)


def dashboards(looked_for: LookedFor) -> Mapping[str, str]:
    """Every dashboard's file, by its place in the repository."""
    return {f"{PLACE}/{board.name}.json": _json(board) for board in boards(looked_for)}


def _json(board: Board) -> str:
    return json.dumps(_built(board), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def _built(board: Board) -> model.Dashboard:
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.name)
        .description(board.says)
        .tags(["ringback", "written by python -m deploy.slo"])
        .timezone("utc")
        .time("now-1h", "now")
        .refresh("10s")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    number = 0
    for row in board.rows:
        number += 1
        built.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            built.with_panel(_figure(panel, number) if panel.figure else _curve(panel, number))
    return built.build()


def _figure(panel: Panel, number: int) -> stat.Panel:
    built = stat.Panel().id(number).title(panel.title).description(panel.says).datasource(_SOURCE)
    built.span(panel.width).height(_HEIGHT).unit(panel.unit).thresholds(_thresholds(panel))
    built.graph_mode(shapes.BigValueGraphMode.NONE).reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    if panel.decimals is not None:
        built.decimals(panel.decimals)
    for query in _queries(panel, at_once=True):
        built.with_target(query)
    return built


def _curve(panel: Panel, number: int) -> timeseries.Panel:
    built = timeseries.Panel().id(number).title(panel.title).description(panel.says).datasource(_SOURCE)
    built.span(panel.width).height(_HEIGHT).unit(panel.unit).min(0).thresholds(_thresholds(panel))
    built.legend(
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
    )
    built.tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI))
    if panel.bounds:
        built.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED))
    for query in _queries(panel, at_once=False):
        built.with_target(query)
    return built


def _queries(panel: Panel, *, at_once: bool) -> list[prometheus.Dataquery]:
    built = []
    for letter, query in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", panel.queries, strict=False):
        asked = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter).datasource(_SOURCE)
        built.append(asked.instant() if at_once else asked.range())
    return built


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    """Below the lowest bound all is well, or nothing is where low is bad; without a bound no colour says anything."""
    first = _NEUTRAL if not panel.bounds else _BAD if panel.is_low_bad else _GOOD
    beyond = _GOOD if panel.is_low_bad else _BAD
    steps = [model.Threshold(None, first), *(model.Threshold(bound, beyond) for bound in panel.bounds)]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)
