"""`clipcast preflight`: what stands against a post, before anything is sent."""

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from clipcast.cli import composing, drafts, options
from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json

if TYPE_CHECKING:
    from clipcast.platforms.base import Problem
    from clipcast.posts.schemas import PostIn
    from clipcast.publications.publishing import PublishRequest
    from clipcast.system import Clipcast


def preflight(
    media: options.MediaArgument,
    *,
    to: options.To,
    caption: options.Caption = "",
    title: options.Title = "",
    hashtag: options.Hashtags = None,
    privacy: options.PrivacyOption = options.Privacy.PUBLIC,
    mode: options.Mode = "",
    at: options.At = None,
    comments: options.Comments = True,
    duet: options.Duet = True,
    stitch: options.Stitch = True,
    brand_content: options.BrandContent = False,
    brand_organic: options.BrandOrganic = False,
    ai_generated: options.AiGenerated = False,
    auto_music: options.AutoMusic = False,
    cover_ms: options.CoverMs = None,
    cover_index: options.CoverIndex = 0,
    pull: options.Pull = False,
    auto_fit: options.AutoFit = False,
    option: options.Own = None,
    extra: options.Extra = None,
    satellites: options.Satellites = False,
    as_json: Json = False,
) -> None:
    """Check a post against every rule without publishing it; exit code 1 if something stands against it.

    The media are taken into the library, so that publishing them afterwards costs nothing more.
    """
    given = locals()
    with opened() as clipcast:
        wanted = composing.post_of(clipcast, media, to, given)
        found = [(_name(clipcast, request), _problems(clipcast, wanted, request)) for request in _requests(clipcast, wanted)]
    blocked = any(problem.blocking for _, problems in found for problem in problems)
    if as_json:
        show_json({"ok": not blocked, "targets": [{"to": name, "problems": problems} for name, problems in found]})
    else:
        for name, problems in found:
            _say(name, problems)
    if blocked:
        raise typer.Exit(1)


def _requests(clipcast: "Clipcast", wanted: "PostIn") -> "list[PublishRequest]":
    from clipcast.posts import compose

    with clipcast.db.reading() as session:
        return compose.requests_of(session, wanted, clipcast.platforms)


def _name(clipcast: "Clipcast", request: "PublishRequest") -> str:
    """The target as `--to` names it."""
    from clipcast.accounts import store as accounts

    if request.social_account_id is None:
        return request.platform
    with clipcast.db.reading() as session:
        return f"{request.platform}:{accounts.get(session, request.social_account_id).username}"


def _problems(clipcast: "Clipcast", wanted: "PostIn", request: "PublishRequest") -> "list[Problem]":
    from clipcast.posts import compose
    from clipcast.publications.preflight import preflight as check

    found = check(clipcast.db, clipcast.connections, clipcast.platforms, request, clipcast.clock())
    with clipcast.db.reading() as session:
        doubles = compose.problem_of_double(session, wanted, request, clipcast.platforms, clipcast.clock())
    return [*found, *(replace(double, sentence=drafts.by_option(double.sentence)) for double in doubles)]


def _say(target: str, problems: "list[Problem]") -> None:
    for problem in problems:
        say(f"{target}: {'problem' if problem.blocking else 'warning'}: {problem.sentence}")
    if not any(problem.blocking for problem in problems):
        say(f"{target}: ready to publish.")
