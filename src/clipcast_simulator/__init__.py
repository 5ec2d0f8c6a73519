"""The platforms seen from the wire: servers that speak their real protocols over HTTP, strictly.

    clipcast simulator --port 8100          (or: python -m clipcast_simulator --port 8100 --state-dir DIR)

    with SimulatorServer(directory, quiet()) as server:   # clipcast_simulator.server, clipcast_simulator.settings
        publish_to(f"{server.url}/tiktok")

It is an independent reading of the platforms' documentation: it imports nothing from `clipcast`, and refuses what the
platform refuses. Everything it knows is in its state directory (SQLite and the received media), so it survives being
killed, and two processes may serve one directory.

- `front` is the ASGI application: it finds the route, reads the body, and lets `desk` answer in a thread. The desk makes
  every request one transaction: journal, scripted fault, handler. `server` adds what ASGI cannot say, a TCP reset.
- `control` is the resource `/_simulator/`: clock, settings, faults, journal. `docs/reference/simulator.md` describes it.
- `chores` does what needs no request (pulls, inspections, webhooks); it finds its work in the database.
- One package per platform (`tiktok/`) brings routes, control part, faults and chores behind `platform.Platform`.

What is not imitated is written on the first page, `GET /`.
"""
