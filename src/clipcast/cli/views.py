"""Publications and events as the command line shows them."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from clipcast.publications.models import LedgerEvent, Publication

SIMULATED_NOTE: Final = "simulated: nothing was posted to the real platform"


def publication_view(publication: "Publication") -> dict[str, Any]:
    """A publication for JSON: the publish log's fields, and where its driver stands."""
    from dataclasses import asdict

    from clipcast.publishing import log_of, result_of

    names = (
        "post_id",
        "state",
        "note",
        "error_code",
        "scheduled_at",
        "started_at",
        "next_action_at",
        "sent_bytes",
        "total_bytes",
        "attempt",
    )
    driver = {name: getattr(publication, name) for name in names}
    return asdict(log_of(publication)) | {"success": result_of(publication).success} | driver


def event_view(event: "LedgerEvent") -> dict[str, Any]:
    """An event of the ledger for JSON, by the names of its table."""
    names = ("id", "stream", "sequence", "event", "entity_type", "entity_id", "occurred_at", "previous_hash", "hash")
    return {name: getattr(event, name) for name in names} | {"metadata": event.details}


def what_of(publication: "Publication") -> str:
    """The one thing a person wants to know beside the state: the link, what went wrong, or what it waits for."""
    link = publication.external_url or ""
    return publication.error_message or link or publication.note or ""


def state_of(publication: "Publication") -> str:
    """The state in words; a simulated result is never mistaken for a real one."""
    words = publication.state.replace("_", " ")
    return f"{words} (simulated)" if publication.simulated else words
