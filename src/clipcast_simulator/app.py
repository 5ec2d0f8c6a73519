"""Builds the simulator as an ASGI application."""

from pathlib import Path

from clipcast_simulator.chores import Chores
from clipcast_simulator.clock import Clock
from clipcast_simulator.control import control_routes
from clipcast_simulator.desk import Desk, first_settings
from clipcast_simulator.front import Front
from clipcast_simulator.instagram.platform import Instagram
from clipcast_simulator.platform import Platform
from clipcast_simulator.settings import SimulatorSettings
from clipcast_simulator.state import State
from clipcast_simulator.tiktok.platform import TikTok
from clipcast_simulator.youtube.platform import YouTube


def create_app(state_dir: Path, settings: SimulatorSettings, clock: Clock | None = None) -> Front:
    """Open or make a state directory and return the application that serves it.

    In an existing directory only the settings that were given explicitly replace the stored ones. Raises OSError when
    the directory cannot be made. The application needs ASGI's lifespan to do its background work, and
    `clipcast_simulator.server` to break connections.
    """
    clock, store, chores = clock or Clock(), State(state_dir), Chores()
    platforms: tuple[Platform, ...] = (TikTok(store, clock, chores), Instagram(store, clock, chores), YouTube(store, clock, chores))
    first_settings(store, clock, settings, platforms)
    control = control_routes(store, clock, chores, platforms)
    return Front(store, Desk(store, clock), chores, platforms, control)
