"""Webhooks: queued with the change they tell of, signed, retried for 72 hours. Delivery is a background chore."""

import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import urllib3
from sqlalchemy import Row, insert, select, update

from clipcast_simulator.chores import Job
from clipcast_simulator.clock import iso
from clipcast_simulator.exchange import Context
from clipcast_simulator.tiktok import tokens, world
from clipcast_simulator.tiktok.tables import deliveries

Moment = Callable[[], AbstractContextManager[Context]]  #: opens a transaction at the simulated now

GIVE_UP_S: Final = 72 * 3600.0
_FIRST_RETRY_S: Final = 15.0
_LONGEST_RETRY_S: Final = 6 * 3600.0
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=10)


def signature(secret: str, t: int, body: bytes) -> str:
    """Return the value of `TikTok-Signature`: HMAC-SHA256 over `t.body` with the client secret."""
    digest = hmac.new(secret.encode(), str(t).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={t},s={digest}"


def queue(context: Context, client_key: str, username: str, *, event: str, at: float, content: dict[str, Any]) -> None:
    """Queue an event, if the app has a callback URL."""
    app = world.app(context.connection, client_key)
    if app is None or app.webhook_url is None:
        return
    body = {
        "client_key": client_key,
        "event": event,
        "create_time": int(at),
        "user_openid": tokens.open_id(context.connection, client_key, username),
        "content": json.dumps(content, separators=(",", ":")),
    }
    text = json.dumps(body, separators=(",", ":"))
    copies = 2 if context.settings.tiktok.webhook_duplicate else 1
    for _ in range(copies):
        row = insert(deliveries).values(client_key=client_key, event=event, body=text, due_at=at)
        context.connection.execute(row)


def listing(context: Context) -> list[dict[str, Any]]:
    """Return every delivery and how it stands."""
    rows = context.connection.execute(select(deliveries).order_by(deliveries.c.id)).mappings()
    times = ("due_at", "first_at")
    return [
        {key: iso(value) if key in times else value for key, value in row.items() if key != "body"} | {"body": json.loads(row["body"])}
        for row in rows
    ]


def due(context: Context, moment: Moment, pool: urllib3.PoolManager) -> list[Job]:
    """Find the deliveries whose time has come, as one job: the order of sending is part of what is simulated."""
    waiting = (deliveries.c.outcome.is_(None), deliveries.c.due_at <= context.now)
    order = deliveries.c.id.desc() if context.settings.tiktok.webhook_reorder else deliveries.c.id
    keys = list(context.connection.execute(select(deliveries.c.id).where(*waiting).order_by(order)).scalars())
    return [Job(("webhooks",), lambda: _deliver_all(keys, moment, pool))] if keys else []


def retry_after_s(attempts: int) -> float:
    """Return the pause after so many attempts: doubling, capped at six hours.

    >>> [retry_after_s(n) for n in (1, 2, 3)]
    [15.0, 30.0, 60.0]
    """
    return min(_FIRST_RETRY_S * float(1 << (attempts - 1)), _LONGEST_RETRY_S)


def _deliver_all(keys: list[int], moment: Moment, pool: urllib3.PoolManager) -> None:
    for key in keys:
        with moment() as context:
            row = _claim(context, key)
            sending = _sending(context, row) if row is not None else None
        if sending is not None:
            status = _post(pool, *sending)
            with moment() as context:
                _settle(context, key, status)


def _claim(context: Context, key: int) -> Row[Any] | None:
    """Count an attempt before it is made, so that two processes do not make it twice."""
    mine = deliveries.c.id == key
    row = context.connection.execute(select(deliveries).where(mine)).first()
    if row is None or row.outcome is not None or row.due_at > context.now:
        return None
    first = context.now if row.first_at is None else row.first_at
    attempts = row.attempts + 1
    again = context.now + retry_after_s(attempts)
    context.connection.execute(update(deliveries).where(mine).values(first_at=first, attempts=attempts, due_at=again))
    return context.connection.execute(select(deliveries).where(mine)).one()


def _sending(context: Context, row: Row[Any]) -> tuple[str, bytes, str] | None:
    app = world.app(context.connection, row.client_key)
    if app is None or app.webhook_url is None:
        context.connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(outcome="dropped"))
        return None
    t = int(row.first_at if context.settings.tiktok.webhook_stale_t else context.now)
    body = row.body.encode()
    return app.webhook_url, body, signature(app.client_secret, t, body)


def _post(pool: urllib3.PoolManager, url: str, body: bytes, signed: str) -> int | None:
    """Send one webhook; None when there was no answer."""
    headers = {"Content-Type": "application/json", "TikTok-Signature": signed}
    try:
        answer = pool.request("POST", url, body=body, headers=headers, timeout=_TIMEOUT, retries=False, redirect=False)
    except urllib3.exceptions.HTTPError:
        return None
    return answer.status


def _settle(context: Context, key: int, status: int | None) -> None:
    mine = deliveries.c.id == key
    row = context.connection.execute(select(deliveries).where(mine)).first()
    if row is None:
        return  # the state was reset meanwhile
    outcome = None
    if status == 200:
        outcome = "delivered"
    elif row.due_at > row.first_at + GIVE_UP_S:
        outcome = "dropped"
    context.connection.execute(update(deliveries).where(mine).values(last_status=status, outcome=outcome))
