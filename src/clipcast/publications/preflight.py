"""Looking before publishing: everything that stands against a request, also by the word of the platform itself."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from clipcast.accounts.expiry import forecast
from clipcast.accounts.models import SocialAccount
from clipcast.db.engine import Database
from clipcast.errors import ClipcastError, ConfigurationError, InvalidRequest, ReconnectRequired
from clipcast.platforms.base import Answer, Problem
from clipcast.publications import fitted, publishing, quota
from clipcast.publications.connections import Connection, Connections
from clipcast.publications.models import Publication
from clipcast.publications.order import build_order
from clipcast.publications.publishing import Platforms, PublishRequest

_LASTING: Final = (ConfigurationError, InvalidRequest, ReconnectRequired)
"""Trouble on the way to the platform that publishing would run into as well, and that does not pass by itself."""


def preflight(db: Database, connections: Connections, platforms: Platforms, request: PublishRequest, now: datetime) -> list[Problem]:
    """Everything that stands against this request; nothing is written, and nothing sent but the question about the account.

    Where the platform cannot be asked, one problem says so, and the rest follows from its documented rules alone.

    Raises:
        UnsupportedPlatform, NotFound, PlatformMismatch, InvalidRequest: there is nothing to check, what is named does not fit together.
    """
    with db.reading() as session:
        target = publishing.target_of(session, request, platforms)
        found = publishing.problems_of(session, request, target, now)
    account_id = target.account.id if target.account else None
    told = _told_of(target.account)
    return list(dict.fromkeys([*found, *told, *_by_the_account(db, connections, account_id, request, now)]))


def _told_of(account: SocialAccount | None) -> list[Problem]:
    """What goes wrong with the account's connection although it works: renewals that fail, permissions that were taken away."""
    if account is None or not account.warning:
        return []
    return [Problem("social_account_id", "account_warning", account.warning, blocking=False)]


def _by_the_account(
    db: Database, connections: Connections, account_id: str | None, request: PublishRequest, now: datetime
) -> Sequence[Problem]:
    try:
        # Never stored: connections are opened for publications, and this one stays a thought.
        connection = connections.open(Publication(platform=request.platform, social_account_id=account_id))
        answer = _asked(connections, connection)
    except _LASTING as error:
        return [Problem("social_account_id", error.code, str(error))]
    except ClipcastError as error:
        sentence = f"{request.platform} could not be asked what this account may do, so only its documented rules were checked. {error}"
        return [Problem("social_account_id", "not_asked", sentence, blocking=False)]
    platform, username, credentials = connection.platform, connection.username, connection.credentials
    with db.reading() as session:
        order = build_order(session, request.clip_id, request.metadata, platform=platform, username=username, credentials=credentials)
    problems = fitted.problems_of(order, platform, answer, auto_fit=request.metadata.auto_fit)
    return [*_too_short(connection, request, now), *problems, *quota.problems_of(db, connection, now)]


def _too_short(connection: Connection, request: PublishRequest, now: datetime) -> list[Problem]:
    """Whether the connection ends before the post is due. Its owner can still connect the account again until then: a warning."""
    ends_at = None if connection.simulated else forecast(connection.platform, connection.credentials).connection_ends_at
    due_at = request.scheduled_at or now
    if ends_at is None or due_at.tzinfo is None or due_at < ends_at:
        return []
    times = f"ends at {ends_at:%Y-%m-%d %H:%M} UTC, before this post is due at {due_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    sentence = f"The connection of @{connection.username} {times}. Connect the account again before."
    return [Problem("social_account_id", "connection_ends_before", sentence, blocking=False)]


def _asked(connections: Connections, connection: Connection) -> Answer | None:
    question = connection.platform.account_request(connection.account)
    if question is None:
        return None
    return connections.wire.send(question, media=connection.media, access_token=connection.access_token)
