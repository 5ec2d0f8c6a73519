"""`clipcast simulator`: the platforms, seen from the wire, for trying things out."""

from pathlib import Path
from typing import Annotated

import typer

from clipcast.cli.output import Json, say, show_json, tell
from clipcast.cli.stopping import asked_to_stop


def simulator(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8100,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    state_dir: Annotated[
        Path | None, typer.Option("--state-dir", help="Where it keeps its world; default: simulator/ in the data directory.")
    ] = None,
    failure_rate: Annotated[float | None, typer.Option("--failure-rate", min=0, max=1, help="Share of requests that fail.")] = None,
    as_json: Json = False,
) -> None:
    """Serve the platforms' own protocols at /tiktok, /instagram and /youtube, and a control resource at /_simulator/.

    It keeps its world across restarts.
    """
    from clipcast.cli.opening import make_data_dir
    from clipcast.cli.ports import told_when_taken
    from clipcast.settings import load_settings
    from clipcast_simulator.server import SimulatorServer
    from clipcast_simulator.settings import SimulatorSettings

    settings = load_settings()
    chosen = SimulatorSettings(
        delay_min_s=settings.simulator_delay_min_s,
        delay_max_s=max(settings.simulator_delay_min_s, settings.simulator_delay_max_s),
        failure_rate=settings.simulator_failure_rate if failure_rate is None else failure_rate,
    )
    if state_dir is None:
        make_data_dir(settings)
    with asked_to_stop() as asked:
        with told_when_taken(host, port):
            server = SimulatorServer(state_dir or settings.data_dir / "simulator", chosen, host=host, port=port)
        with server:
            if as_json:
                show_json({"url": server.url})
            else:
                say(f"The simulator listens on {server.url}: at /tiktok, /instagram and /youtube; what it saw is at /_simulator/.")
                tell("Use it with CLIPCAST_SIMULATOR_URL. Ctrl-C stops it.")
            asked.wait()
