"""The end of the demonstration: what we say happened, what the world sees, and whether the two agree."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clipcast import ledger
from clipcast.demo import control
from clipcast.demo.cast import Cast, Role
from clipcast.demo.screen import Screen
from clipcast.ledger import LedgerEvent
from clipcast.publications import store
from clipcast.publications.models import Publication
from clipcast.publications.states import SUCCESS
from clipcast.system import Clipcast

Post = Mapping[str, Any]

_TOLD: Final = (ledger.PUBLISH_PROVIDER_FALLBACK, ledger.PUBLISH_RETRY_SCHEDULED, ledger.PUBLISH_UNCERTAIN, ledger.PUBLISH_SUCCESSFUL)


def deliver(clipcast: Clipcast, cast: Cast, simulator_port: int, shown: Screen) -> bool:
    """Show the publications, the world and the ledger, and count; whether every post is out exactly once with the right bytes."""
    with clipcast.db.reading() as session:
        rows = {row.id: row for row in store.by_ids(session, [role.publication_id for role in cast.roles])}
        events = {role: ledger.events(session, stream=f"publication:{role.publication_id}", limit=1000)[::-1] for role in cast.roles}
        broken = ledger.verify(session)
    seen = {platform: control.posts(simulator_port, platform) for platform in sorted({role.part.platform for role in cast.roles})}
    world = {role: _published(seen[role.part.platform], role) for role in cast.roles}
    shown.table(
        "What happened on the way", ("POST", "AT", "EVENT", "WHAT"), [line for role in cast.roles for line in _story(role, events[role])]
    )
    shown.table(
        "Publications",
        ("POST", "STATE", "ATTEMPTS", "LINK OR NOTE"),
        [_publication(role, rows[role.publication_id]) for role in cast.roles],
    )
    shown.table(
        "What the world sees",
        ("POST", "ID", "SHA-256 RECEIVED", "IS OURS"),
        [line for role in cast.roles for line in _seen(role, world[role])],
    )
    shown.say(
        "Ledger verified: every event is as it was written." if not broken else " ".join(one.sentence for one in broken),
        "bad" if broken else "good",
    )
    return _count(cast, rows, world, shown) and not broken


def _count(cast: Cast, rows: Mapping[str, Publication], world: Mapping[Role, Sequence[Post]], shown: Screen) -> bool:
    published = sum(rows[role.publication_id].state in SUCCESS and _arrived(role, world[role]) for role in cast.roles)
    duplicated = sum(max(0, len(posts) - 1) for posts in world.values())
    lost = len(cast.roles) - published
    well = not duplicated and not lost
    shown.say(f"published {published}, duplicated {duplicated}, lost {lost}", "good" if well else "bad")
    return well


def _published(posts: Sequence[Post], role: Role) -> list[Post]:
    """What reached this role's account and is out, or lies in its inbox."""
    return [post for post in posts if post["username"] == role.part.username and post["published"]]


def _arrived(role: Role, posts: Sequence[Post]) -> bool:
    return bool(posts) and all(_sha256(post) == role.sha256 for post in posts)


def _sha256(post: Post) -> tuple[str, ...]:
    """What arrived: a set's pictures in their order (TikTok calls them images, Instagram children), else the one file."""
    pictures = post.get("images") or post.get("children")
    return tuple(picture["sha256"] for picture in pictures) if pictures else (post["sha256"],)


def _id(post: Post) -> str:
    """The post's id in the platform's own word for it; a draft has none yet."""
    return next((str(post[name]) for name in ("post_id", "video_id", "id") if post.get(name)), "in the inbox")


def _publication(role: Role, row: Publication) -> tuple[str, ...]:
    state = f"{row.state.replace('_', ' ')} (simulated)" if row.simulated else row.state
    return role.name, state, str(row.attempt), row.error_message or row.external_url or row.note or ""


def _story(role: Role, events: Sequence[LedgerEvent]) -> list[tuple[str, ...]]:
    told = [event for event in events if event.event in _TOLD]
    return [(role.name, f"{event.occurred_at:%H:%M:%S.%f}"[:-3], event.event, str(_detail(event))) for event in told]


def _detail(event: LedgerEvent) -> str:
    details = event.details
    return str(details.get("error") or details.get("reason") or details.get("external_url") or details.get("state") or "")


def _seen(role: Role, posts: Sequence[Post]) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for post in posts:
        received, sent = _sha256(post), role.sha256
        same = f"yes, {len(sent)} of {len(sent)} files" if received == sent else "NO"
        lines.append((role.name, _id(post), " ".join(digest[:12] for digest in received), same))
    return lines or [(role.name, "nothing", "", "NO")]
