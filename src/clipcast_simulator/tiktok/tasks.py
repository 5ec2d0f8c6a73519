"""A publish task from its publish id to its end: created, receiving, processing, then inbox, complete or failed.

Nothing here runs on a timer. A task is brought up to date whenever someone looks at it, from the simulated time.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, Row, func, insert, select, update

from clipcast_simulator.exchange import Context
from clipcast_simulator.tiktok import ids, tokens, webhooks
from clipcast_simulator.tiktok.tables import posts, tasks

TRANSFER_LIFE_S: Final = 3600.0  #: of an upload URL; and how long TikTok tries to pull
DAY_S: Final = 86_400.0

OPEN: Final = ("created", "receiving", "processing")
FINAL: Final = ("inbox", "complete", "failed")

PUBLIC: Final = "PUBLIC_TO_EVERYONE"


@dataclass(frozen=True, slots=True)
class Task:
    """A publish task, as stored."""

    id: int
    publish_id: str
    kind: str  #: video or photo
    mode: str  #: direct or inbox
    source: str  #: file or pull
    client_key: str
    username: str
    post_info: dict[str, Any]
    urls: list[str]
    upload_id: str | None
    upload_token: str | None
    video_size: int | None
    chunk_size: int | None
    chunk_count: int | None
    content_type: str | None
    bytes_done: int
    state: str
    created_at: float
    expires_at: float
    hidden_until: float
    slow_s: float
    stuck: bool
    doom: str | None  #: the fail reason a script wants for it
    ready_at: float | None  #: when processing is over
    inspected: bool
    verdict: str | None  #: the fail reason its media earned
    sha256: str | None
    facts: dict[str, Any] | None
    fail_reason: str | None
    finished_at: float | None

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still ahead."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Order:
    """What an init asked for, after every check."""

    kind: str
    mode: str
    source: str
    client_key: str
    username: str
    post_info: dict[str, Any]
    urls: tuple[str, ...] = ()
    video_size: int | None = None
    chunk_size: int | None = None
    chunk_count: int | None = None


def create(context: Context, order: Order) -> Task:
    """Make a task."""
    now = context.now
    upload = {"upload_id": str(ids.snowflake(now)), "upload_token": str(uuid4())} if order.source == "file" else {}
    key = context.connection.execute(
        insert(tasks).values(
            publish_id=ids.publish_id(order.kind, order.mode, order.source, now),
            kind=order.kind,
            mode=order.mode,
            source=order.source,
            client_key=order.client_key,
            username=order.username,
            post_info=order.post_info,
            urls=list(order.urls),
            video_size=order.video_size,
            chunk_size=order.chunk_size,
            chunk_count=order.chunk_count,
            state="created",
            created_at=now,
            expires_at=now + TRANSFER_LIFE_S,
            hidden_until=now + context.settings.early_invalid_s,
            **upload,
        )
    ).inserted_primary_key
    assert key is not None
    return get(context.connection, int(key[0]))


def get(connection: Connection, task_id: int) -> Task:
    """Return a task that exists."""
    return _task(connection.execute(select(tasks).where(tasks.c.id == task_id)).one())


def find(connection: Connection, task_id: int) -> Task | None:
    """Find a task that a reset may have removed."""
    row = connection.execute(select(tasks).where(tasks.c.id == task_id)).first()
    return None if row is None else _task(row)


def by_publish_id(connection: Connection, publish_id: str) -> Task | None:
    """Find a task by its publish id."""
    row = connection.execute(select(tasks).where(tasks.c.publish_id == publish_id)).first()
    return None if row is None else _task(row)


def by_upload(connection: Connection, upload_id: str, upload_token: str) -> Task | None:
    """Find a task by what its upload URL says."""
    row = connection.execute(select(tasks).where(tasks.c.upload_id == upload_id)).first()
    if row is None or not secrets.compare_digest(row.upload_token, upload_token):
        return None
    return _task(row)


def listing(connection: Connection, username: str | None = None) -> list[Task]:
    """Return every task, oldest first."""
    query = select(tasks).order_by(tasks.c.id)
    if username is not None:
        query = query.where(tasks.c.username == username)
    return [_task(row) for row in connection.execute(query)]


def change(connection: Connection, task: Task, **values: Any) -> Task:
    """Store new values and return the task with them."""
    connection.execute(update(tasks).where(tasks.c.id == task.id).values(**values))
    return get(connection, task.id)


def arrived(context: Context, task: Task, **values: Any) -> Task:
    """Note that every byte is there: processing begins."""
    ready_at = context.now + context.settings.processing_s + task.slow_s
    return change(context.connection, task, state="processing", ready_at=ready_at, **values)


def advance(context: Context, task: Task) -> Task:
    """Bring a task up to the simulated time."""
    if task.source == "pull" and task.state in ("created", "receiving") and context.now > task.expires_at:
        return fail(context, task, task.doom or pull_failure(task), task.expires_at)
    if task.state != "processing" or task.stuck or not task.inspected:
        return task
    assert task.ready_at is not None
    if context.now < task.ready_at:
        return task
    reason = task.doom or task.verdict
    if reason is not None:
        return fail(context, task, reason, task.ready_at)
    return _finish(context, task, task.ready_at)


def advance_all(context: Context) -> None:
    """Bring every task whose time has come up to date."""
    ripe = (tasks.c.state == "processing") & (tasks.c.ready_at <= context.now) & tasks.c.inspected.is_(True)
    late = tasks.c.state.in_(("created", "receiving")) & (tasks.c.expires_at < context.now) & (tasks.c.source == "pull")
    query = select(tasks).where(tasks.c.state.in_(OPEN), ripe | late)
    for row in context.connection.execute(query).all():
        advance(context, _task(row))


def fail(context: Context, task: Task, reason: str, at: float) -> Task:
    """End a task as failed, and tell the app."""
    failed = change(context.connection, task, state="failed", fail_reason=reason, finished_at=at)
    announce(context, failed, "post.publish.failed", at, reason=reason)
    return failed


def pull_failure(task: Task) -> str:
    """Return the fail reason of a task whose URLs could not be pulled, or not within the hour."""
    return "photo_pull_failed" if task.kind == "photo" else "video_pull_failed"


def publish(context: Context, task: Task, at: float, privacy_level: str, **texts: str) -> int:
    """Make the post that the world sees, now or after moderation; return its id."""
    post_id = ids.snowflake(at)
    public_at = at + context.settings.moderation_s if privacy_level == PUBLIC else None
    info = task.post_info | texts
    context.connection.execute(
        insert(posts).values(
            post_id=post_id,
            task_id=task.id,
            username=task.username,
            privacy_level=privacy_level,
            title=info.get("title", ""),
            description=info.get("description", ""),
            created_at=at,
            public_at=public_at,
        )
    )
    announce(context, task, "post.publish.complete", at)
    if public_at is not None:
        announce(context, task, "post.publish.publicly_available", public_at, post_id=str(post_id))
    return post_id


def announce(context: Context, task: Task, event: str, at: float, **content: Any) -> None:
    """Queue a post's event for its app."""
    kind = "DIRECT_PUBLISH" if task.mode == "direct" else "INBOX_SHARE"
    told = {"publish_id": task.publish_id, "publish_type": kind, **content}
    webhooks.queue(context, task.client_key, task.username, event=event, at=at, content=told)


def public_ids(context: Context, task: Task) -> list[int]:
    """Return the ids of a task's posts that everyone can see."""
    query = select(posts.c.post_id).where(posts.c.task_id == task.id, posts.c.public_at <= context.now)
    return list(context.connection.execute(query.order_by(posts.c.created_at)).scalars())


def direct_posts_today(context: Context, username: str) -> int:
    """Count a creator's direct posts of the last 24 hours: published, or able to become so."""
    return _count(context, tasks.c.username == username, tasks.c.mode == "direct", *_alive(context))


def pending_drafts(context: Context, username: str) -> int:
    """Count a creator's drafts of the last 24 hours that are not finished."""
    return _count(context, tasks.c.username == username, tasks.c.mode == "inbox", tasks.c.state != "complete", *_alive(context))


def active_creators(context: Context, client_key: str) -> set[str]:
    """Return the creators an app posted to in the last 24 hours."""
    query = select(tasks.c.username).distinct()
    mine = (tasks.c.client_key == client_key, tasks.c.mode == "direct", *_alive(context))
    return set(context.connection.execute(query.where(*mine)).scalars())


def disconnect(context: Context, client_key: str, username: str, reason: int) -> None:
    """End an app's access to a user: tokens die, what is not published fails, the app hears of it."""
    tokens.revoke_all(context.connection, client_key, username)
    mine = (tasks.c.client_key == client_key, tasks.c.username == username, tasks.c.state.in_(OPEN))
    for row in context.connection.execute(select(tasks).where(*mine)).all():
        fail(context, _task(row), "auth_removed", context.now)
    webhooks.queue(
        context,
        client_key,
        username,
        event="authorization.removed",
        at=context.now,
        content={"reason": reason},
    )


def is_abandoned(task: Task, now: float) -> bool:
    """Say whether a file upload was never completed and never can be."""
    return task.source == "file" and task.state in ("created", "receiving") and now > task.expires_at


def _alive(context: Context) -> tuple[Any, ...]:
    waiting = tasks.c.state.in_(("created", "receiving")) & (tasks.c.expires_at <= context.now)
    return (tasks.c.created_at > context.now - DAY_S, tasks.c.state != "failed", ~waiting)


def _count(context: Context, *conditions: Any) -> int:
    return context.connection.execute(select(func.count()).select_from(tasks).where(*conditions)).scalar_one()


def _finish(context: Context, task: Task, at: float) -> Task:
    if task.mode == "inbox":
        announce(context, task, "post.publish.inbox_delivered", at)
        return change(context.connection, task, state="inbox", finished_at=at)
    publish(context, task, at, task.post_info["privacy_level"])
    return change(context.connection, task, state="complete", finished_at=at)


def _task(row: Row[Any]) -> Task:
    return Task(**row._asdict())
