"""A container from its creation to its end. Nothing runs on a timer: its status follows from what is stored and the time."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from clipcast_simulator.exchange import Context
from clipcast_simulator.instagram import ids
from clipcast_simulator.instagram.tables import containers

DAY_S: Final = 86_400.0

WAITING: Final = "waiting"  #: for the bytes of a resumable upload
PULLING: Final = "pulling"  #: its URL is to be fetched
ARRIVED: Final = "arrived"  #: every byte is there and nobody has looked at them
SETTLED: Final = "settled"  #: the verdict is known; it shows once processing is over

IN_PROGRESS: Final = "IN_PROGRESS"
FINISHED: Final = "FINISHED"
PUBLISHED: Final = "PUBLISHED"
ERROR: Final = "ERROR"
EXPIRED: Final = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Container:
    """A container, as stored."""

    id: int
    container_id: str
    username: str
    kind: str  #: image, reel, story, carousel; video for a carousel's child
    medium: str  #: image, video or carousel
    is_child: bool
    is_resumable: bool
    parameters: dict[str, Any]
    children: list[str]  #: their container ids
    url: str | None
    file_size: int | None
    bytes_done: int
    stage: str
    created_at: float
    expires_at: float
    ready_at: float | None  #: when processing is over
    slow_s: float
    stuck: bool
    doom: int | None  #: the subcode a script wants for it
    verdict: int | None  #: the subcode its media earned
    hidden_until: float
    hidden_from: str | None  #: the kind of token that cannot read it; None: no token can
    sha256: str | None
    facts: dict[str, Any] | None
    media_id: str | None
    published_at: float | None

    def is_settled(self, now: float) -> bool:
        """Say whether processing is over."""
        return self.stage == SETTLED and not self.stuck and self.ready_at is not None and now >= self.ready_at

    @property
    def failure(self) -> int | None:
        """The subcode it fails with, once processing is over."""
        return self.doom or self.verdict


@dataclass(frozen=True, slots=True)
class Order:
    """What a request for a container asked, after every check."""

    username: str
    kind: str
    medium: str
    parameters: dict[str, Any]
    is_child: bool = False
    is_resumable: bool = False
    children: tuple[str, ...] = ()
    url: str | None = None


def create(context: Context, order: Order, **facts: Any) -> Container:
    """Make a container. Without `facts` it waits for its bytes; with them it has arrived."""
    waits = WAITING if order.is_resumable else PULLING
    key = context.connection.execute(
        insert(containers).values(
            container_id=ids.make(ids.CONTAINER),
            username=order.username,
            kind=order.kind,
            medium=order.medium,
            is_child=order.is_child,
            is_resumable=order.is_resumable,
            parameters=order.parameters,
            children=list(order.children),
            url=order.url,
            created_at=context.now,
            expires_at=context.now + DAY_S,
            **{"stage": waits, **facts},
        )
    ).inserted_primary_key
    assert key is not None
    return get(context.connection, key[0])


def get(connection: Connection, key: int) -> Container:
    """Return a container by its key."""
    return Container(**connection.execute(select(containers).where(containers.c.id == key)).one()._asdict())


def find(connection: Connection, key: int) -> Container | None:
    """Return a container by its key, or None after a reset."""
    return _container(connection.execute(select(containers).where(containers.c.id == key)).first())


def by_id(connection: Connection, container_id: str) -> Container | None:
    """Find a container by its public id."""
    return _container(connection.execute(select(containers).where(containers.c.container_id == container_id)).first())


def children_of(connection: Connection, parent: Container) -> list[Container]:
    """Return a carousel's children, in their order."""
    rows = connection.execute(select(containers).where(containers.c.container_id.in_(parent.children)))
    found = {row.container_id: Container(**row._asdict()) for row in rows}
    return [found[container_id] for container_id in parent.children]


def listing(connection: Connection, username: str | None = None) -> list[Container]:
    """Return every container, oldest first."""
    query = select(containers).order_by(containers.c.id)
    if username is not None:
        query = query.where(containers.c.username == username)
    return [Container(**row._asdict()) for row in connection.execute(query)]


def change(connection: Connection, container: Container, **values: Any) -> Container:
    """Store new values and return the container with them."""
    connection.execute(update(containers).where(containers.c.id == container.id).values(**values))
    return get(connection, container.id)


def arrived(context: Context, container: Container, **values: Any) -> Container:
    """Note that every byte of a video is there: processing begins."""
    ready_at = context.now + processing_s(context, "video", container.container_id) + container.slow_s
    return change(context.connection, container, stage=ARRIVED, ready_at=ready_at, **values)


def processing_s(context: Context, medium: str, key: str) -> float:
    """Return how long processing takes, moved by chance as far as the knob allows. A carousel takes as long as an image."""
    settings, knobs = context.settings, context.settings.instagram
    known_s, factor = (knobs.video_processing_s, 20) if medium == "video" else (knobs.image_processing_s, 2)
    usual_s = settings.processing_s * factor if known_s is None else known_s
    chance = Random(f"{settings.seed}:{key}").uniform(-1, 1)  # noqa: S311 - not a secret
    return usual_s * (1 + knobs.processing_spread * chance)


def failed(context: Context, container: Container, subcode: int) -> Container:
    """End a container with an error, now."""
    return change(context.connection, container, stage=SETTLED, ready_at=context.now, verdict=subcode)


def status(context: Context, container: Container) -> tuple[str, int | None]:
    """Return the `status_code` at the simulated time, and the subcode of an error."""
    if container.published_at is not None:
        return PUBLISHED, None
    is_settled, failure = _outcome(context, container)
    if is_settled and failure is not None:
        return ERROR, failure
    if context.now >= container.expires_at:
        return EXPIRED, None
    return (FINISHED if is_settled else IN_PROGRESS), None


def made_today(context: Context, username: str) -> int:
    """Count an account's containers of the last 24 hours, children too."""
    mine = (containers.c.username == username, containers.c.created_at > context.now - DAY_S)
    return context.connection.execute(select(func.count()).select_from(containers).where(*mine)).scalar_one()


def _outcome(context: Context, container: Container) -> tuple[bool, int | None]:
    """Say whether processing is over, and what failed. A carousel waits for its children and fails with the first."""
    is_settled, failure = container.is_settled(context.now), container.failure
    if is_settled and failure is None and container.children:
        outcomes = [_outcome(context, child) for child in children_of(context.connection, container)]
        failure = next((subcode for done, subcode in outcomes if done and subcode is not None), None)
        is_settled = failure is not None or all(done for done, _ in outcomes)
    return is_settled, failure


def _container(row: Row[Any] | None) -> Container | None:
    return None if row is None else Container(**row._asdict())
