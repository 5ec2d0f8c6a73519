"""The server of `app.api`, for those who are not all owners."""

from app.api.conftest import clipcast, idle_api, image, video, world

__all__ = ["clipcast", "idle_api", "image", "video", "world"]
