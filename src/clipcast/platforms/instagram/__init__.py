"""Instagram: content publishing through the Graph API, as pure functions. `flow.py` is where to begin; NOTES.md says what is certain."""

from clipcast.platforms.instagram.flow import Instagram
from clipcast.platforms.instagram.states import InstagramState

__all__ = ["Instagram", "InstagramState"]
