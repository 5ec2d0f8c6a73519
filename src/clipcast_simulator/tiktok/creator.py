"""creator_info/query, and the caps that it and the init endpoints look at."""

from typing import Any, Final

from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.tiktok import tasks, world
from clipcast_simulator.tiktok.access import PUBLISH, Caller, enter
from clipcast_simulator.tiktok.envelope import Refusal
from clipcast_simulator.tiktok.fields import check_fields, read_json
from clipcast_simulator.tiktok.ids import snowflake

PER_MINUTE: Final = 20
_AVATAR_LIFE_S: Final = 7200


def creator_info(context: Context, request: Request) -> dict[str, Any]:
    """Describe the account, not the app's rights: an unaudited app is offered PUBLIC_TO_EVERYONE too."""
    caller = enter(context, request, "creator_info", PUBLISH, PER_MINUTE)
    check_fields(read_json(request, optional=True), {})
    check_creator(context, caller)
    account = caller.account
    return {
        "creator_avatar_url": avatar_url(context, account.username),
        "creator_username": account.username,
        "creator_nickname": account.nickname,
        "privacy_level_options": list(account.privacy_options),
        "comment_disabled": account.comment_disabled,
        "duet_disabled": account.duet_disabled or account.private,
        "stitch_disabled": account.stitch_disabled or account.private,
        "max_video_post_duration_sec": account.max_video_post_duration_sec,
    }


def check_creator(context: Context, caller: Caller) -> None:
    """Refuse a banned creator, one whose day is full, and one too many for the app."""
    check_ban(caller)
    account = caller.account
    if tasks.direct_posts_today(context, account.username) >= account.daily_post_cap:
        raise Refusal("spam_risk_too_many_posts")
    cap = caller.app.active_user_cap
    if cap is None and not caller.app.audited:
        cap = world.UNAUDITED_ACTIVE_USERS
    if cap is not None:
        active = tasks.active_creators(context, caller.app.client_key)
        if account.username not in active and len(active) >= cap:
            raise Refusal("reached_active_user_cap")


def check_ban(caller: Caller) -> None:
    """Refuse a banned creator."""
    if caller.account.banned:
        raise Refusal("spam_risk_user_banned_from_posting")


def check_drafts(context: Context, caller: Caller) -> None:
    """Refuse a draft when too many of the last 24 hours are unfinished."""
    if tasks.pending_drafts(context, caller.account.username) >= caller.account.pending_share_cap:
        raise Refusal("spam_risk_too_many_pending_share")


def avatar_url(context: Context, username: str) -> str:
    """Return a link as TikTok's CDN signs them; nothing answers there."""
    expires = int(context.now) + _AVATAR_LIFE_S
    return f"https://p16-sign.tiktokcdn.com/avatar/{username}/{snowflake(0)}~c5_168x168.jpeg?x-expires={expires}"
