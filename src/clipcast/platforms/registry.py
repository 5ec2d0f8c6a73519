"""Which platforms there are: one line each."""

from clipcast.platforms.base import AnyPlatform
from clipcast.platforms.instagram import Instagram
from clipcast.platforms.tiktok import TikTok
from clipcast.platforms.youtube import YouTube
from clipcast.settings import Settings


def live_platforms(settings: Settings) -> dict[str, AnyPlatform]:
    """The platforms at the addresses of the settings, by name."""
    return {
        "instagram": Instagram(settings.instagram_graph_url, settings.instagram_upload_url, settings.instagram_token_url),
        "tiktok": TikTok(api_url=settings.tiktok_api_url),
        "youtube": YouTube(settings.youtube_api_url, settings.youtube_upload_url, settings.youtube_token_url),
    }


def simulated_platforms(simulator_url: str) -> dict[str, AnyPlatform]:
    """The same platforms, spoken to at a simulator."""
    return {
        "instagram": Instagram(f"{simulator_url}/instagram", f"{simulator_url}/instagram/rupload", f"{simulator_url}/instagram"),
        "tiktok": TikTok(api_url=f"{simulator_url}/tiktok"),
        "youtube": YouTube(f"{simulator_url}/youtube", f"{simulator_url}/youtube", f"{simulator_url}/youtube/token"),
    }
