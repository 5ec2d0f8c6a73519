"""The ledger names who asked for what, and nobody where nobody did."""

from pathlib import Path

from sqlalchemy import select

from app.api.calling import Api, order
from clipcast.ledger import LedgerEvent
from clipcast.people.models import ApiKey
from clipcast.system import Clipcast


def test_what_a_key_asks_for_carries_its_name_and_what_the_worker_does_carries_none(
    api: Api, clipcast: Clipcast, video: Path, account_id: str
) -> None:
    clip_id = api.upload(video)
    answer = api("POST", "/publishing/publish", order(clip_id, account_id))
    later = api("POST", "/publishing/publish", {**order(clip_id, account_id), "scheduled_at": "2030-01-01T00:00:00Z"})

    api("POST", f"/publications/{later.json['publish_log_id']}/cancellation")

    assert answer.json["success"]
    with clipcast.db.reading() as session:
        key = f"key:{session.scalars(select(ApiKey.id)).first()}"
        actors = {event.event: event.details.get("actor") for event in session.scalars(select(LedgerEvent)) if event.entity_type == "clip"}
    assert {actors.pop(event) for event in ("publish_started", "publish_cancelled")} == {key}
    assert set(actors.values()) == {None}
