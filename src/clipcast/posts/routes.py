"""Posts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from clipcast.errors import InvalidRequest
from clipcast.people.admission import PUBLISHES, READS
from clipcast.posts import compose, store
from clipcast.posts.models import Post, Stage
from clipcast.posts.schemas import PostCancellation, PostChange, PostIn, PostOut, PostPage, PostPreflight, TargetProblems
from clipcast.publications import preflight, publishing
from clipcast.publications.publishing import PublishRequest
from clipcast.publications.routes import Services, Wake
from clipcast.publications.schemas import PreflightAnswer
from clipcast.repeats import Key
from clipcast.turnstiles import ASKS_PLATFORM

router = APIRouter(prefix="/posts", tags=["posts"])


@router.post("", status_code=201, dependencies=[PUBLISHES])
def create_post(services: Services, wake: Wake, wanted: PostIn, key: Key = None) -> PostOut:
    """Compose a post: one publication for each target, each succeeding or failing by itself. Workers carry them out.

    A draft has no publications, and goes nowhere until it is released: PATCH it with a time.
    """
    now = services.clock()
    shown = compose.written(services.db, lambda session: _shown(session, compose.create(session, wanted, services.platforms, now, key=key)))
    wake()
    return shown


@router.post("/preflight", dependencies=[PUBLISHES, ASKS_PLATFORM])
def check_before_posting(services: Services, wanted: PostIn) -> PostPreflight:
    """What posting this would run into, target by target; a draft as if it were released now. Nothing is written."""
    with services.db.reading() as session:
        requests = compose.requests_of(session, wanted, services.platforms)
    targets = [_checked(services, wanted, request) for request in requests]
    return PostPreflight(ok=all(target.ok for target in targets), targets=targets)


@router.get("", dependencies=[READS])
def list_posts(
    services: Services,
    *,
    limit: Annotated[int, Query(ge=1, le=200, description="How many per page.")] = 50,
    before: Annotated[str | None, Query(max_length=36, description="`next` of the page before.")] = None,
    stage: Annotated[Stage | None, Query(description="Only drafts, for example. Default: all.")] = None,
) -> PostPage:
    """The posts, newest first, drafts among them."""
    with services.db.reading() as session:
        found = store.listed(session, limit=limit + 1, before=before, stage=stage)
        page = [_shown(session, post) for post in found[:limit]]
    return PostPage(posts=page, next=page[-1].id if len(found) > limit else None)


@router.get("/{post_id}", dependencies=[READS])
def show_post(services: Services, post_id: str) -> PostOut:
    """One post, with its publications."""
    with services.db.reading() as session:
        return _shown(session, store.get(session, post_id))


@router.patch("/{post_id}", dependencies=[PUBLISHES])
def change_post(services: Services, wake: Wake, post_id: str, wanted: PostChange) -> PostOut:
    """Change, move or release a post before it begins; 409 afterwards.

    A time (`scheduled_at`, or `when`) releases a draft. Asked for twice, also at the same moment, it is published once.
    """
    with services.db.writing() as session:
        shown = _shown(session, compose.change(session, post_id, wanted, services.platforms, services.clock()))
    wake()
    return shown


@router.post("/{post_id}/cancellation", dependencies=[PUBLISHES])
def cancel_post(services: Services, wake: Wake, post_id: str) -> PostCancellation:
    """Throw a draft away, or withdraw every publication that still can be; what cannot says why in `refusals`."""
    with services.db.writing() as session:
        outcomes = compose.cancel(session, post_id, services.platforms, services.clock())
        post = _shown(session, store.get(session, post_id))
    wake()
    return PostCancellation(post=post, refusals={each.publication.id: each.refusal for each in outcomes if each.refusal})


def _shown(session: Session, post: Post) -> PostOut:
    return PostOut.of(post, store.clips_of(session, post.id), store.publications_of(session, post.id))


def _checked(services: Services, wanted: PostIn, request: PublishRequest) -> TargetProblems:
    """One target's problems; one that cannot even be looked at is a problem of that target, not of the others."""
    username = None
    try:
        with services.db.reading() as session:
            username = publishing.target_of(session, request, services.platforms).username or None
            double = compose.problem_of_double(session, wanted, request, services.platforms, services.clock())
        found = preflight.preflight(services.db, services.connections, services.platforms, request, services.clock())
        answer = PreflightAnswer.of([*found, *double])
    except InvalidRequest as error:
        answer = PreflightAnswer.blocked("target", error)
    return TargetProblems(
        platform=request.platform,
        account_id=request.social_account_id,
        username=username,
        ok=answer.ok,
        problems=answer.problems,
    )
