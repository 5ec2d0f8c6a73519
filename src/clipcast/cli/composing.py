"""From what stands on the command line to one post with its targets."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import typer

from clipcast.cli import options
from clipcast.cli.options import Where

if TYPE_CHECKING:
    from clipcast.posts.schemas import PostIn
    from clipcast.publications.order import Metadata
    from clipcast.system import Clipcast

_OF_THE_POST: Final = ("caption", "title", "hashtags", "auto_fit")
"""What every target shares; everything else is an option of each target."""


def post_of(clipcast: "Clipcast", media: Sequence[str], to: Sequence[str], given: Mapping[str, Any]) -> "PostIn":
    """The post that a command's options describe; the media are taken into the library.

    Raises:
        NotFound, InvalidRequest, Busy: a file or an account is not usable; nothing was published.
    """
    from pydantic import ValidationError

    from clipcast.posts.schemas import PostIn

    wanted = {**content_of(clipcast, media, to, given), **options.times_of(given), "allow_duplicate": given.get("allow_duplicate", False)}
    try:
        return PostIn.model_validate(wanted)
    except ValidationError as error:
        raise options.wrong_use(error) from None


def content_of(clipcast: "Clipcast", media: Sequence[str], to: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """What such a post says besides its time; the media are taken into the library.

    Raises:
        NotFound, InvalidRequest, Busy: as `post_of`.
    """
    from clipcast.cli.media import clip_of

    metadata = options.metadata_of(given)
    targets = _targets(clipcast, options.targets_of(to), metadata, given)
    texts = {name: getattr(metadata, name) for name in _OF_THE_POST}
    return {**texts, "clip_ids": [clip_of(clipcast, source).id for source in media], "targets": targets}


def _targets(clipcast: "Clipcast", targets: Sequence[Where], metadata: "Metadata", given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The targets as a post names them, each with its own options over the common ones."""
    from clipcast.errors import UnsupportedPlatform

    own = options.own_options_of(given["option"])
    for name in [*(target.platform for target in targets), *(option.platform for option in own if option.platform)]:
        if name not in clipcast.platforms:
            known = ", ".join(sorted(clipcast.platforms))
            raise UnsupportedPlatform(f"Clipcast does not publish to {name!r}. It publishes to: {known}.")
    common = metadata.model_dump(mode="json", exclude=set(_OF_THE_POST), exclude_defaults=True)
    account_ids = _account_ids(clipcast, targets)
    return [
        {
            **({"account_id": account_id} if account_id else {"platform": target.platform}),
            "with_satellites": given["satellites"],
            "options": common | {option.name: option.value for option in own if option.platform in {"", target.platform}},
        }
        for target, account_id in zip(targets, account_ids, strict=True)
    ]


def _account_ids(clipcast: "Clipcast", targets: Sequence[Where]) -> list[str | None]:
    """The accounts that these targets mean; None where a platform has none yet. Meaning one account twice would post twice."""
    from clipcast.accounts import store as accounts

    found: dict[tuple[str, str | None], str] = {}
    with clipcast.db.reading() as session:
        for target in targets:
            account = accounts.by_username(session, target.platform, target.username) if target.username else None
            if target.username and account is None:
                raise _unknown(target)
            meant = account or accounts.main_account(session, target.platform)
            place = (target.platform, meant.id if meant else None)
            if place in found:
                who = f"@{meant.username}" if meant else "the same account"
                raise typer.BadParameter(f"{found[place]} and {target} are both {who}; that would post twice.", param_hint="--to")
            found[place] = str(target)
    return [account_id for _, account_id in found]


def _unknown(target: Where) -> Exception:
    from clipcast.errors import NotFound

    advice = f"Add it: clipcast accounts add {target.platform} {target.username}"
    return NotFound(f"There is no account @{target.username} on {target.platform}. {advice}")
