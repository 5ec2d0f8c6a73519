"""TikTok: the Content Posting API as pure functions. `flow.py` is where to begin reading, NOTES.md says what is certain and what is not."""

from clipcast.platforms.tiktok.flow import TikTok
from clipcast.platforms.tiktok.states import TikTokState

__all__ = ["TikTok", "TikTokState"]
