"""channels.list, playlistItems.list and videoCategories.list."""

import base64
from typing import Any, Final

from clipcast_simulator.exchange import Context, Request
from clipcast_simulator.youtube import access, ids, metadata, resource, videos, world
from clipcast_simulator.youtube.access import Caller
from clipcast_simulator.youtube.errors import Refusal
from clipcast_simulator.youtube.listing import collection
from clipcast_simulator.youtube.parameters import (
    Query,
    invalid,
    page_token,
    read_filter,
    read_ids,
    read_page,
    read_parts,
    read_query,
    single,
)
from clipcast_simulator.youtube.resource import View
from clipcast_simulator.youtube.videos import Video
from clipcast_simulator.youtube.world import Account

_CHANNEL_PARTS: Final = frozenset(
    {
        *("auditDetails", "brandingSettings", "contentDetails", "contentOwnerDetails", "id", "localizations"),
        *("snippet", "statistics", "status", "topicDetails"),
    }
)
_CHANNEL_FILTERS: Final = ("categoryId", "forHandle", "forUsername", "id", "managedByMe", "mine", "mySubscribers")
_ITEM_PARTS: Final = frozenset({"contentDetails", "id", "snippet", "status"})


def list_channels(context: Context, request: Request) -> dict[str, Any]:
    """Describe the caller's channel, or channels by id. Without a channel there are no items at all."""
    caller = access.enter(context, request, world.MAY_READ, access.units(1))
    query = read_query(request, frozenset({"part", "hl", "maxResults", "pageToken", *_CHANNEL_FILTERS}))
    parts = read_parts(query, _CHANNEL_PARTS)
    found = _channels(context, caller, query)
    content = collection("channel", [_channel(context, caller, account, parts) for account in found])
    return content if found else {name: value for name, value in content.items() if name != "items"}


def list_playlist_items(context: Context, request: Request) -> dict[str, Any]:
    """List an uploads playlist, newest first. Other playlists do not exist here."""
    caller = access.enter(context, request, world.MAY_READ, access.units(1))
    query = read_query(request, frozenset({"part", "id", "maxResults", "pageToken", "playlistId", "videoId"}))
    parts = read_parts(query, _ITEM_PARTS)
    start, count = read_page(query)
    if read_filter(query, ("id", "playlistId")) != "playlistId":
        raise Refusal("notImplemented", "The simulator lists items by playlist only.")
    playlist = single(query, "playlistId") or ""
    owner = world.by_channel(context.connection, f"UC{playlist[2:]}") if playlist.startswith("UU") else None
    if owner is None:
        raise Refusal("playlistNotFound", location="playlistId")
    uploads = _uploads(context, caller, owner, single(query, "videoId"))
    shown = uploads[start : start + count]
    seen = [resource.view(context, video, caller.account.username) for video in shown]
    items = [_item(view, playlist, start + index, parts) for index, view in enumerate(seen)]
    more = {"nextPageToken": page_token(start + count)} if count and start + count < len(uploads) else {}
    if start:
        more["prevPageToken"] = page_token(max(0, start - count))
    return collection("playlistItem", items, **more, pageInfo={"totalResults": len(uploads), "resultsPerPage": count})


def list_categories(context: Context, request: Request) -> dict[str, Any]:
    """List the categories of a region; only those that are assignable may be used."""
    access.enter(context, request, world.MAY_READ, access.units(1))
    query = read_query(request, frozenset({"part", "hl", "id", "regionCode"}))
    read_parts(query, ("snippet", "id"))
    every = {**metadata.CATEGORIES, **metadata.UNASSIGNABLE}
    wanted = list(every)
    if read_filter(query, ("id", "regionCode")) == "id":
        wanted = [number for number in read_ids(query) if number in every]
    elif len(single(query, "regionCode") or "") != 2:
        raise invalid("regionCode")
    return collection("videoCategory", [_category(number, every[number]) for number in wanted])


def _channels(context: Context, caller: Caller, query: Query) -> list[Account]:
    match read_filter(query, _CHANNEL_FILTERS):
        case "mine" if single(query, "mine") == "true":
            return [caller.account] if caller.account.channel else []
        case "id":
            found = (world.by_channel(context.connection, channel) for channel in read_ids(query))
            return [account for account in found if account is not None]
        case name:
            raise Refusal("notImplemented", f"The simulator does not filter channels by {name}.")


def _channel(context: Context, caller: Caller, account: Account, parts: tuple[str, ...]) -> dict[str, Any]:
    is_owner = account.username == caller.account.username
    public = [video for video in _uploads(context, caller, account, None) if video.privacy(context.now) == "public"]
    sections = {
        "snippet": {
            "title": account.title,
            "description": "",
            "customUrl": f"@{account.username}",
            "publishedAt": resource.second(account.created_at),
            "thumbnails": resource.thumbnail_sizes(account.channel_id, 0),
            "localized": {"title": account.title, "description": ""},
        },
        "contentDetails": {"relatedPlaylists": {"likes": "LL", "uploads": ids.uploads_playlist(account.channel_id)}},
        "statistics": {"viewCount": "0", "subscriberCount": "0", "hiddenSubscriberCount": False, "videoCount": str(len(public))},
        "status": {"privacyStatus": "public", "isLinked": True, "madeForKids": False}
        | ({"longUploadsStatus": account.long_uploads_status} if is_owner else {}),
        "brandingSettings": {"channel": {"title": account.title}},
    }
    content = {part: sections[part] for part in parts if part in sections}
    return {"kind": "youtube#channel", "etag": videos.etag(content), "id": account.channel_id, **content}


def _uploads(context: Context, caller: Caller, owner: Account, video_id: str | None) -> list[Video]:
    """Return what the caller sees of a channel's uploads, newest first; a new video may take its time to show."""
    lag_s, is_owner = context.settings.youtube.playlist_lag_s, owner.username == caller.account.username
    return [
        video
        for video in reversed(videos.listing(context.connection, owner.username))
        if video.deleted_at is None
        and context.now >= video.created_at + lag_s
        and video_id in (None, video.video_id)
        and (is_owner or (video.is_processed(context.now) and video.privacy(context.now) == "public"))
    ]


def _item(seen: View, playlist: str, position: int, parts: tuple[str, ...]) -> dict[str, Any]:
    video, owner = seen.video, seen.channel
    snippet = video.resource["snippet"]
    sections = {
        "snippet": {
            "publishedAt": resource.second(video.created_at),
            "channelId": owner.channel_id,
            "title": snippet["title"],
            "description": snippet.get("description", ""),
            "thumbnails": resource.thumbnails_of(seen),
            "channelTitle": owner.title,
            "playlistId": playlist,
            "position": position,
            "resourceId": {"kind": "youtube#video", "videoId": video.video_id},
            "videoOwnerChannelTitle": owner.title,
            "videoOwnerChannelId": owner.channel_id,
        },
        "contentDetails": {"videoId": video.video_id, "videoPublishedAt": resource.second(video.published_at(seen.now))},
        "status": {"privacyStatus": video.privacy(seen.now)},
    }
    content = {part: sections[part] for part in parts if part in sections}
    key = base64.urlsafe_b64encode(f"{playlist}.{video.video_id}".encode()).decode().rstrip("=")
    return {"kind": "youtube#playlistItem", "etag": videos.etag(content), "id": key, **content}


def _category(number: str, title: str) -> dict[str, Any]:
    snippet = {"title": title, "assignable": number in metadata.CATEGORIES, "channelId": "UCBR8-60-B28hp2BmDPdntcQ"}
    return {"kind": "youtube#videoCategory", "etag": videos.etag(snippet), "id": number, "snippet": snippet}
