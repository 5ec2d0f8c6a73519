"""The command line: each command parses, calls the domain once, and shows the answer. No rules live here.

Only what `--help` needs is imported at the top of these modules; the rest is imported inside the commands.
"""

from clipcast.cli.app import app, main

__all__ = ["app", "main"]
