"""A worker's parts, with metrics that watch them work."""

from dataclasses import replace

from clipcast.accounts.upkeep import Upkeep
from clipcast.publications.driver import Driver
from clipcast.publications.observer import Both
from clipcast.system import Clipcast
from clipcast.telemetry.metrics import Metrics


def watched(clipcast: Clipcast, metrics: Metrics) -> tuple[Driver, Upkeep]:
    """The installation's driver and upkeep, telling `metrics` of everything besides whoever watches already."""
    refresher = replace(clipcast.connections.refresher, heard=metrics.token_asked_for)
    connections = replace(clipcast.connections, refresher=refresher)
    driver = replace(clipcast.driver, observer=Both(clipcast.driver.observer, metrics), connections=connections)
    return driver, replace(clipcast.upkeep, refresher=refresher)
