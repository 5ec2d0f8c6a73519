"""After a session vanished with the video possibly complete: we look among the channel's uploads, and act only on what we find.

Source: https://developers.google.com/youtube/v3/docs/playlistItems/list and /docs/videos/list (mirror, read 2026-11-20). `search.list` is
of no use here: its index lags, and it has a quota of 100 a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from clipcast.errors import IllegalTransition
from clipcast.platforms.base import Answer, Send, Step, Undecidable, Wait
from clipcast.platforms.youtube import answers, limits, polling
from clipcast.platforms.youtube.endpoints import Endpoints
from clipcast.platforms.youtube.posting import as_sent, insertion
from clipcast.platforms.youtube.states import Post, Processing, Searching, Starting, Uploading, seconds, started_over


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look has shown: videos that are ours beyond doubt, and whether there is one that may be."""

    ours: tuple[answers.Video, ...] = ()
    perhaps: bool = False


def begun(upload: Uploading, now: datetime) -> Searching:
    """The state after this upload's session is gone; lists lag behind, so the first look waits a moment."""
    next_at = now + seconds(limits.FIRST_LOOK_S)
    return Searching(post=upload.post, session=upload.session, since=upload.since, began_at=now, next_at=next_at)


def next_step(state: Searching, now: datetime, endpoints: Endpoints) -> Step:
    """The next question of a look, or the wait for the next look."""
    if state.verdict:
        return Undecidable(state.verdict)
    if now < state.next_at:
        return Wait(state.next_at, "YouTube forgot the upload near its end; the video is looked for on the channel")
    if state.candidates is not None:
        return Send(endpoints.details(state.candidates), "videos.list", replace(state, asking="videos"))
    if state.post.channel is None:
        return Send(endpoints.channel(), "channels.list", replace(state, asking="channel"))
    return Send(endpoints.uploads(state.post.channel.uploads), "playlistItems.list", replace(state, asking="uploads"))


def received(state: Searching, answer: Answer, now: datetime) -> Searching | Processing | Starting:
    """The state after an answer; raises a `PlatformError` where it is not a yes, and then the same question is due again."""
    match state.asking:
        case "channel":
            return _knowing_channel(state, answer, now)
        case "uploads":
            return _listed(state, answer, now)
        case "videos":
            return _looked(state, _judged(state, answers.videos(answer, now)), now)
        case "":
            raise IllegalTransition("An answer came although nothing was asked (YouTube flow, searching).")
        case _:
            assert_never(state.asking)


def again(state: Searching, post: Post, now: datetime) -> Searching:
    """Look anew from the beginning, at once: two looks minutes apart are needed once more."""
    return replace(state, post=post, began_at=now, next_at=now, asking="", candidates=None, looks=0, verdict="")


def _knowing_channel(state: Searching, answer: Answer, now: datetime) -> Searching:
    channel = answers.channel(answer, now)
    if channel is None or not channel.uploads:
        return replace(state, asking="", verdict=f"{_lost(state)} and the channel's uploads cannot be listed. {_look(state)}")
    return replace(state, asking="", post=replace(state.post, channel=channel))


def _listed(state: Searching, answer: Answer, now: datetime) -> Searching | Processing | Starting:
    """Those uploads that are not older than the session; a channel without uploads has no such list at all."""
    page = answers.Uploads() if answer.status == 404 else answers.accepted(answer, answers.Uploads, now)
    earliest = state.since - limits.LOOK_SLACK
    recent = [item for item in page.items if item.snippet.published_at is None or item.snippet.published_at >= earliest]
    ids = dict.fromkeys(item.details.video_id for item in recent if item.details.video_id)
    candidates = tuple(each for each in ids if each not in state.post.superseded)[: limits.LISTED_VIDEOS]
    crowded = bool(page.next_page) and len(recent) == len(page.items)
    if not candidates:
        return _looked(state, _Look(perhaps=crowded), now)
    return replace(state, asking="", candidates=candidates, crowded=crowded)


def _judged(state: Searching, found: Mapping[str, answers.Video]) -> _Look:
    """Which candidates are ours. One that is not shown yet, or whose file's size is not known yet, may be."""
    verdicts = {video_id: _kinship(state, found.get(video_id)) for video_id in state.candidates or ()}
    ours = tuple(found[video_id] for video_id, verdict in verdicts.items() if verdict == "ours")
    return _Look(ours, state.crowded or "perhaps" in verdicts.values())


def _kinship(state: Searching, video: answers.Video | None) -> Literal["ours", "perhaps", "other"]:
    """Ours is what has our file's size to the byte, our title, and was published since the session began."""
    if video is None or video.file.size_bytes is None:
        return "perhaps"
    published_at = video.snippet.published_at
    too_old = published_at is not None and published_at < state.since - limits.LOOK_SLACK
    if video.file.size_bytes != state.post.size_bytes or too_old:
        return "other"
    same_title = _plain(video.snippet.title) == _plain(insertion(state.post.order).title)
    return "ours" if same_title and published_at is not None else "perhaps"


def _looked(state: Searching, look: _Look, now: datetime) -> Searching | Processing | Starting:
    """After a look: adopt the one that is ours; begin again after enough looks without a trace; else look again."""
    state = replace(state, asking="", candidates=None, crowded=False)
    patience_is_over = now - state.began_at >= limits.LOOK_PATIENCE
    if len(look.ours) == 1 and (patience_is_over or not look.perhaps):
        return polling.begun(state.post, look.ours[0], now)
    if len(look.ours) > 1:
        return replace(state, verdict=f"{_lost(state)} and the channel shows {len(look.ours)} videos that may be it. {_look(state)}")
    if patience_is_over and look.perhaps:
        return replace(state, verdict=f"{_lost(state)} and the channel has a video that may be it. {_look(state)}")
    looks = state.looks + (not look.ours and not look.perhaps)
    if looks >= limits.LOOKS_TO_BE_SURE:
        return _absent(state)
    return replace(state, looks=looks, next_at=now + seconds(limits.NEXT_LOOK_S))


def _absent(state: Searching) -> Searching | Starting:
    """There is no video: a new session, unless that has been tried too often."""
    if state.post.restarts < limits.MAX_RESTARTS:
        return started_over(state.post)
    return replace(state, verdict=f"{_lost(state)} for the {limits.MAX_RESTARTS + 1}th time, and no video has shown up. {_look(state)}")


def _plain(title: str) -> str:
    return " ".join(title.split())


def _lost(state: Searching) -> str:
    return f"YouTube forgot the upload begun at {as_sent(state.since)} after its last byte was sent,"


def _look(state: Searching) -> str:
    title = insertion(state.post.order).title
    return f"Look in YouTube Studio for “{title[:60]}”: if it is there, mark it as published; if it is not, publish it again."
