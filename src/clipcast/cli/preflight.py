"""`clipcast preflight`: what stands against a post, before anything is sent."""

from typing import TYPE_CHECKING

import typer

from clipcast.cli import options
from clipcast.cli.opening import opened
from clipcast.cli.output import Json, say, show_json

if TYPE_CHECKING:
    from clipcast.platforms.base import Problem
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
    extra: options.Extra = None,
    as_json: Json = False,
) -> None:
    """Check a post against every rule without publishing it; exit code 1 if something stands against it.

    The media are taken into the library, so that publishing them afterwards costs nothing more.
    """
    metadata = options.metadata_of(locals())
    targets, scheduled_at = options.targets_of(to), options.moment_of(at)
    with opened() as clipcast:
        requests = options.requests_of(clipcast, media, targets, metadata, scheduled_at)
        found = [_problems(clipcast, request) for request in requests]
    blocked = any(problem.blocking for problems in found for problem in problems)
    if as_json:
        checked = [{"to": str(target), "problems": problems} for target, problems in zip(targets, found, strict=True)]
        show_json({"ok": not blocked, "targets": checked})
    else:
        for target, problems in zip(targets, found, strict=True):
            _say(target, problems)
    if blocked:
        raise typer.Exit(1)


def _problems(clipcast: "Clipcast", request: "PublishRequest") -> "list[Problem]":
    from clipcast.publications.preflight import preflight as check

    return check(clipcast.db, clipcast.connections, clipcast.platforms, request, clipcast.clock())


def _say(target: options.Where, problems: "list[Problem]") -> None:
    for problem in problems:
        say(f"{target}: {'problem' if problem.blocking else 'warning'}: {problem.sentence}")
    if not any(problem.blocking for problem in problems):
        say(f"{target}: ready to publish.")
