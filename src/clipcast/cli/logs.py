"""`clipcast logs`: every publication of one clip."""

from typing import Annotated

import typer

from clipcast.cli.opening import opened
from clipcast.cli.output import Json, show_json, show_table


def logs(clip_id: Annotated[str, typer.Argument(metavar="CLIP_ID")], as_json: Json = False) -> None:
    """Show the publish log of a clip: every publication, newest first."""
    from clipcast.publishing import get_publish_logs_for_clip

    with opened() as clipcast:
        found = get_publish_logs_for_clip(clipcast, clip_id)
    if as_json:
        show_json({"logs": found})
        return
    rows = [
        (
            log.id,
            log.platform,
            f"{log.status} (simulated)" if log.simulated else log.status,
            log.requested_at,
            log.external_url or log.error_message,
        )
        for log in found
    ]
    show_table(("ID", "PLATFORM", "STATUS", "REQUESTED", "WHAT"), rows, empty="This clip was never published.")
