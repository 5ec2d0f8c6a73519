"""The real application on both databases, as in the tests of the interface."""

from app.api.conftest import account_id, api, clipcast, idle_api, image, video, world

__all__ = ["account_id", "api", "clipcast", "idle_api", "image", "video", "world"]
