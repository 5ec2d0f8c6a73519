"""Publications and events as the command line shows them."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from clipcast.ledger import LedgerEvent
    from clipcast.publications.models import Publication

SIMULATED_NOTE: Final = "simulated: nothing was posted to the real platform"


def publication_view(publication: "Publication") -> dict[str, Any]:
    """A publication for JSON, as the HTTP interface shows it."""
    from clipcast.publications.schemas import PublicationOut

    return PublicationOut.of(publication).model_dump(mode="json")


def event_view(event: "LedgerEvent") -> dict[str, Any]:
    """An event of the ledger for JSON, as the HTTP interface shows it."""
    from clipcast.publications.schemas import LedgerEventOut

    return LedgerEventOut.of(event).model_dump(mode="json")


def what_of(publication: "Publication") -> str:
    """The one thing a person wants to know beside the state: the link, what went wrong, or what it waits for."""
    link = publication.external_url or ""
    return publication.error_message or link or publication.note or ""


def what_happened(event: "LedgerEvent") -> str:
    """The one thing a person wants to know of an event: what went wrong, the link, or why it came to that."""
    details = event.details
    return str(details.get("error") or details.get("external_url") or details.get("reason") or "")


def state_of(publication: "Publication") -> str:
    """The state in words; a simulated result is never mistaken for a real one."""
    words = publication.state.replace("_", " ")
    return f"{words} (simulated)" if publication.simulated else words
