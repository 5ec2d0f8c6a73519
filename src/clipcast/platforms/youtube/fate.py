"""What YouTube says became of a video that did not make it."""

from clipcast.platforms.youtube import errors, reasons
from clipcast.platforms.youtube.answers import Video


def has_failed(video: Video) -> bool:
    """Whether YouTube has given the video up for good."""
    return video.status.upload_status in ("failed", "rejected", "deleted")


def failed_because(video: Video) -> tuple[str, str]:
    """Code and sentence for a video that YouTube says has failed, was rejected or deleted."""
    status = video.status
    match status.upload_status:
        case "failed":
            code, sentences, did = status.failure_reason, reasons.FAILURES, "could not process"
        case "rejected":
            code, sentences, did = status.rejection_reason, reasons.REJECTIONS, "rejected"
        case _:
            return "deleted", "The video was deleted on YouTube before it was processed."
    named = f" ({errors.kept(code)})" if code else " and gave no reason"
    return code or status.upload_status, sentences.get(code, f"YouTube {did} the video{named}; YouTube Studio may say more.")
