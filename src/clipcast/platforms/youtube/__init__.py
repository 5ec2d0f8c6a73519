"""YouTube: the Data API v3 as pure functions. `flow.py` is where to begin reading, NOTES.md says what is certain and what is not."""

from clipcast.platforms.youtube.flow import YouTube
from clipcast.platforms.youtube.states import YouTubeState

__all__ = ["YouTube", "YouTubeState"]
