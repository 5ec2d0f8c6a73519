"""Which platforms there are: one line each."""

from clipcast.platforms.base import AnyPlatform
from clipcast.platforms.instagram import Instagram
from clipcast.platforms.tiktok import TikTok
from clipcast.platforms.youtube import YouTube
from clipcast.settings import Settings


def live_platforms(settings: Settings) -> dict[str, AnyPlatform]:
    """The platforms at the addresses of the settings, by name."""
    return {
        "instagram": Instagram(
            graph_url=settings.instagram_graph_url,
            upload_url=settings.instagram_upload_url,
            token_url=settings.instagram_token_url,
            authorize_url=settings.instagram_authorize_url,
            code_url=settings.instagram_code_url,
        ),
        "tiktok": TikTok(api_url=settings.tiktok_api_url, authorize_url=settings.tiktok_authorize_url),
        "youtube": YouTube(
            api_url=settings.youtube_api_url,
            upload_url=settings.youtube_upload_url,
            token_url=settings.youtube_token_url,
            authorize_url=settings.youtube_authorize_url,
        ),
    }


def simulated_platforms(simulator_url: str) -> dict[str, AnyPlatform]:
    """The same platforms, spoken to at a simulator, where all of a platform's hosts stand below one address."""
    instagram, tiktok, youtube = (f"{simulator_url}/{name}" for name in ("instagram", "tiktok", "youtube"))
    return {
        "instagram": Instagram(instagram, f"{instagram}/rupload", token_url=instagram, authorize_url=instagram, code_url=instagram),
        "tiktok": TikTok(api_url=tiktok, authorize_url=f"{tiktok}/v2/auth/authorize"),
        "youtube": YouTube(youtube, youtube, token_url=f"{youtube}/token", authorize_url=f"{youtube}/o/oauth2/v2/auth"),
    }
