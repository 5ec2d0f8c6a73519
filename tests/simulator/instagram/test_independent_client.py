"""Meta's own SDK, which nobody here wrote: it publishes to the simulator and reads back what it published.

Its resumable upload is a request of ours, because the SDK knows no upload host.
"""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from facebook_business.adobjects.igmedia import IGMedia
from facebook_business.adobjects.iguser import IGUser
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.shadowigmediabuilder import ShadowIGMediaBuilder
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from simulator.instagram.client import Profile, profile, world
from simulator.wire import Sim

Connect = Callable[[str], FacebookAdsApi]


@pytest.fixture
def connect(sim: Sim, fay: Profile) -> Connect:
    """Connect the SDK with one of the tokens, signing each call; only its base URL differs from Meta's."""

    class Session(FacebookSession):  # type: ignore[misc]  # the SDK has no types
        GRAPH = f"{sim.url}/instagram"

    def with_token(token: str) -> FacebookAdsApi:
        return FacebookAdsApi(Session(fay.credentials["app_id"], fay.credentials["app_secret"], token, timeout=20))

    return with_token


@pytest.fixture
def account(connect: Connect, fay: Profile) -> Any:
    return IGUser(fay.id, api=connect(fay.token))


def read(account: Any, container: str) -> Any:
    fields = ["id", "status_code", "status", "video_status"]
    return ShadowIGMediaBuilder(container, api=account.get_api()).api_get(fields=fields)


def test_an_image(sim: Sim, account: Any, jpeg_url: str) -> None:
    container = account.create_media(params={"image_url": jpeg_url, "caption": "From the SDK #1"})["id"]
    assert read(account, container)["status_code"] == "FINISHED"

    media = account.create_media_publish(params={"creation_id": container})

    told = IGMedia(media["id"], api=account.get_api()).api_get(fields=["permalink", "caption", "media_type", "timestamp"])
    assert (told["caption"], told["media_type"]) == ("From the SDK #1", "IMAGE")
    assert [item["id"] for item in account.get_media(fields=["id"])] == [media["id"]]
    assert world(sim)[0]["published"] is True


def test_a_reel_from_a_url(sim: Sim, account: Any, clip_url: str) -> None:
    tags = [{"username": "bo"}]
    params = {"media_type": "REELS", "video_url": clip_url, "share_to_feed": True, "user_tags": tags, "thumb_offset": "1000"}
    container = account.create_media(params=params)["id"]
    sim.settle()

    media = account.create_media_publish(params={"creation_id": container})

    assert read(account, container)["status_code"] == "PUBLISHED"
    told = IGMedia(media["id"], api=account.get_api()).api_get(fields=["media_product_type", "is_shared_to_feed"])
    assert (told["media_product_type"], told["is_shared_to_feed"]) == ("REELS", True)


def test_a_reel_from_bytes(account: Any, fay: Profile, clip: bytes) -> None:
    begun = account.create_media(params={"media_type": "REELS", "upload_type": "resumable"})
    head = {"Authorization": f"OAuth {fay.token}", "offset": "0", "file_size": str(len(clip))}
    assert requests.post(begun["uri"], data=clip, headers=head, timeout=20).json()["success"] is True

    phase = read(account, begun["id"])["video_status"]["uploading_phase"]

    assert (phase["status"], phase["bytes_transferred"]) == ("complete", len(clip))
    assert account.create_media_publish(params={"creation_id": begun["id"]})["id"]


def test_a_carousel(sim: Sim, account: Any, jpeg_url: str) -> None:
    children = [account.create_media(params={"image_url": jpeg_url, "is_carousel_item": True})["id"] for _ in range(2)]
    parent = account.create_media(params={"media_type": "CAROUSEL", "children": children, "caption": "Two"})["id"]

    media = account.create_media_publish(params={"creation_id": parent})

    told = IGMedia(media["id"], api=account.get_api()).api_get(fields=["media_type", "permalink"])
    (post,) = world(sim)
    assert (told["media_type"], told["permalink"]) == ("CAROUSEL_ALBUM", post["permalink"])
    assert len(post["children"]) == 2


def test_errors_are_understood(account: Any, jpeg_url: str) -> None:
    container = account.create_media(params={"image_url": jpeg_url})["id"]
    account.create_media_publish(params={"creation_id": container})

    with pytest.raises(FacebookRequestError) as refused:
        account.create_media_publish(params={"creation_id": container})

    assert (refused.value.http_status(), refused.value.api_error_code(), refused.value.api_error_subcode()) == (400, 24, 2207008)
    assert refused.value.api_transient_error() is False


def test_the_limit_and_the_lists(account: Any, jpeg_url: str) -> None:
    for _ in range(3):
        account.create_media_publish(params={"creation_id": account.create_media(params={"image_url": jpeg_url})["id"]})

    (limit,) = account.get_content_publishing_limit(fields=["quota_usage", "config"])
    assert (limit["quota_usage"], limit["config"]["quota_total"]) == (3, 50)
    assert len(list(account.get_media(fields=["id"], params={"limit": 2}))) == 3


def test_pages_lead_to_accounts(sim: Sim, connect: Connect, fay: Profile) -> None:
    profile(sim, "gil", login="facebook", holder="fay")
    api = connect(fay.credentials["user_token"])

    pages = list(User("me", api=api).get_accounts(fields=[Page.Field.name, Page.Field.instagram_business_account]))

    assert [page["name"] for page in pages] == ["Fay", "Gil"]
    assert pages[0]["instagram_business_account"]["id"] == fay.id


def test_a_post_can_be_deleted(sim: Sim, account: Any, jpeg_url: str) -> None:
    container = account.create_media(params={"image_url": jpeg_url})["id"]
    media = account.create_media_publish(params={"creation_id": container})

    IGMedia(media["id"], api=account.get_api()).api_delete()

    assert world(sim)[0]["deleted"] is True
