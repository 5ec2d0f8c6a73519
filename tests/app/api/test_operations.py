"""What whoever runs the server sees of it: health, numbers, names of requests, the document, and no secrets."""

import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app.api.calling import Api, order, served
from clipcast import log
from clipcast.api.app import create_app
from clipcast.db.engine import Database
from clipcast.errors import (
    Busy,
    ClipcastError,
    ConfigurationError,
    IdempotencyConflict,
    IllegalTransition,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Throttled,
    TooLarge,
    Unavailable,
    UnusableMedia,
)
from clipcast.platforms.wire import BLOCK_BYTES
from clipcast.system import Clipcast
from clipcast.telemetry.collectors import Installation
from clipcast.telemetry.metrics import Metrics

SECRETS = {
    "client_key": "ck-marker-1",
    "client_secret": "cs-marker-2",
    "access_token": "act.marker-3",
    "refresh_token": "rft.marker-4",
}


def samples(numbers: bytes) -> dict[tuple[str, ...], float]:
    """What Prometheus reads, by name and the values of the labels in the labels' order."""
    families = text_string_to_metric_families(numbers.decode())
    return {
        (each.name, *(each.labels[label] for label in sorted(each.labels))): each.value for family in families for each in family.samples
    }


def test_the_first_page_tells_where_things_are(idle_api: Api) -> None:
    places = idle_api("GET", "/").json

    for name in ("documentation", "openapi", "health", "readiness", "metrics"):
        assert idle_api("GET", places[name]).status == 200


def test_a_server_that_can_work_says_so(idle_api: Api) -> None:
    assert idle_api("GET", "/healthz").json == {"status": "alive"}
    assert idle_api("GET", "/readyz").json == {"status": "ready"}


def test_an_unreachable_database_is_told_without_its_password(clipcast: Clipcast) -> None:
    gone = Database("postgresql://clipcast:marker-password@127.0.0.1:1/clipcast")
    with served(create_app(replace(clipcast, db=gone), with_worker=False), key="unknown") as api:
        answer = api("GET", "/readyz")

        assert (answer.status, answer.code) == (503, "not_ready")
        assert api("GET", "/healthz").status == 200
        assert [api("GET", path).code for path in ("/metrics", "/publications")] == ["busy", "busy"], "whose key it is cannot be known"
        assert "marker-password" not in api.heard


def test_a_database_that_is_not_migrated_is_told(clipcast: Clipcast, tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    with served(create_app(replace(clipcast, db=empty), with_worker=False), key="unknown") as api:
        answer = api("GET", "/readyz")

        assert (answer.status, answer.code) == (503, "not_ready")
        assert "clipcast db upgrade" in answer.json["detail"]
    empty.close()


def test_a_media_store_that_cannot_be_written_is_told(idle_api: Api, clipcast: Clipcast) -> None:
    root = clipcast.settings.data_dir / "media"
    shutil.rmtree(root, ignore_errors=True)
    root.write_text("a file where the directory was")

    answer = idle_api("GET", "/readyz")

    assert (answer.status, answer.code) == (503, "not_ready")
    assert str(root) in answer.json["detail"]


def test_a_request_keeps_the_name_it_came_with(idle_api: Api) -> None:
    assert idle_api("GET", "/healthz", X_Request_ID="order-66").headers["x-request-id"] == "order-66"
    assert idle_api("GET", "/nowhere", X_Request_ID="order-67").json["request_id"] == "order-67"


@pytest.mark.parametrize("name", [None, "", "two words", "x" * 129, "<script>"])
def test_a_request_without_a_usable_name_gets_one(idle_api: Api, name: str | None) -> None:
    headers = {} if name is None else {"X_Request_ID": name}

    given = [idle_api("GET", "/healthz", **headers).headers["x-request-id"] for _ in range(2)]

    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in given)
    assert given[0] != given[1]


@pytest.fixture
def log_lines(clipcast: Clipcast) -> io.StringIO:
    """What this process logs meanwhile."""
    stream = io.StringIO()
    log.configure(clipcast.settings, stream)
    return stream


def test_a_bug_gives_nothing_away(clipcast: Clipcast, log_lines: io.StringIO) -> None:
    app = create_app(clipcast, with_worker=False)

    @app.get("/bug", include_in_schema=False)
    def bug() -> None:
        raise RuntimeError("the marker of a bug")

    with served(app) as api:
        answer = api("GET", "/bug")

        assert (answer.status, answer.code) == (500, "bug")
        assert "marker" not in api.heard
    logged = log_lines.getvalue()
    assert "the marker of a bug" in logged
    assert answer.json["request_id"] in logged


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (NotFound("Gone."), 404, None),
        (UnusableMedia("No."), 400, None),
        (TooLarge("Too much."), 413, None),
        (IdempotencyConflict("Other."), 409, None),
        (Busy("Later."), 503, "1"),
        (ConfigurationError("Set CLIPCAST_X."), 500, None),
        (IllegalTransition("No such step."), 500, None),
        (NotSent("No line."), 503, "5"),
        (OutcomeUnknown("No answer."), 502, None),
        (Throttled("Slowly.", "tiktok", retry_after_s=59.2), 429, "60"),
        (Unavailable("Down.", "tiktok"), 503, "30"),
        (Rejected("Never.", "tiktok"), 502, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ClipcastError) else None,
)
def test_each_kind_of_trouble_has_its_status(clipcast: Clipcast, error: ClipcastError, status: int, retry_after: str | None) -> None:
    app = create_app(clipcast, with_worker=False)

    @app.get("/trouble", include_in_schema=False)
    def trouble() -> None:
        raise error

    with served(app) as api:
        answer = api("GET", "/trouble")

    assert (answer.status, answer.code, answer.json["detail"]) == (status, error.code, str(error))
    assert answer.headers.get("retry-after") == retry_after


def test_numbers_tell_what_was_done(api: Api, video: Path, account_id: str) -> None:
    clip_id = api.upload(video)
    api("POST", "/publishing/publish", order(clip_id, account_id))
    api("GET", f"/media/{'x' * 40}")

    numbers = api("GET", "/metrics")

    assert numbers.headers["content-type"].startswith("text/plain; version=")
    values = samples(numbers.body)
    assert values["clipcast_publications", "published"] == 1
    assert values["clipcast_publication_duration_seconds_count", "published", "tiktok", "true"] == 1
    assert values["clipcast_platform_requests_total", "video.init"] == 1
    assert values["clipcast_platform_sent_bytes_total",] == video.stat().st_size
    assert values["clipcast_http_request_duration_seconds_count", "GET", "/media/{signed}", "404"] == 1
    assert b"xxxx" not in numbers.body, "a signed link's path is a secret"


def test_a_resumed_upload_counts_only_what_it_sends(clipcast: Clipcast) -> None:
    """Its first block is heard together with all that was confirmed before."""
    metrics = Metrics(Installation(clipcast.db, clipcast.clock, clipcast.platforms))

    for confirmed in (0, 10 * BLOCK_BYTES, 10 * BLOCK_BYTES):
        metrics.at("before send", "1", "upload.chunk")
        metrics.sent("1", confirmed + BLOCK_BYTES, 50_000_000)
        metrics.sent("1", confirmed + BLOCK_BYTES + 5, 50_000_000)

    assert samples(metrics.rendered())["clipcast_platform_sent_bytes_total",] == 3 * (BLOCK_BYTES + 5)


def test_two_applications_share_no_numbers(clipcast: Clipcast) -> None:
    with served(create_app(clipcast, with_worker=False)) as first, served(create_app(clipcast, with_worker=False)) as second:
        first("GET", "/nowhere")

        assert 'route="unmatched"' in first("GET", "/metrics").body.decode()
        assert 'route="unmatched"' not in second("GET", "/metrics").body.decode()


def test_the_document_lists_every_error_as_a_problem(idle_api: Api) -> None:
    for address, operations in idle_api.document["paths"].items():
        for method, operation in operations.items():
            errors = {status: each for status, each in operation["responses"].items() if status >= "400"}
            assert {"500", "503"} <= errors.keys(), f"{method} {address}"
            assert all(list(each["content"]) == ["application/problem+json"] for each in errors.values()), f"{method} {address}"
    publish = idle_api.document["paths"]["/publishing/publish"]["post"]["responses"]
    assert publish.keys() == {"200", "202", "400", "401", "403", "404", "408", "409", "413", "422", "500", "503"}
    assert "HTTPValidationError" not in idle_api.document["components"]["schemas"]


def test_every_reference_in_the_document_leads_somewhere(idle_api: Api) -> None:
    used = set(re.findall(r"#/components/schemas/([\w-]+)", str(idle_api.document)))

    assert used <= idle_api.document["components"]["schemas"].keys()


def test_no_answer_holds_a_secret(api: Api, video: Path, account_id: str, db: Database) -> None:
    """An account with credentials whose platform cannot be reached, seen through every address there is."""
    api("PATCH", f"/accounts/{account_id}", {"credentials": SECRETS})
    clip_id = api.upload(video)
    publication = api("POST", "/publishing/publish?wait_s=1", order(clip_id, account_id)).json["publish_log_id"]

    for address in (
        f"/accounts/{account_id}",
        "/accounts",
        f"/publications/{publication}",
        "/publications",
        f"/publishing/logs/{clip_id}",
        "/ledger",
        "/ledger/verification",
        "/metrics",
        "/readyz",
        "/openapi.json",
    ):
        assert api("GET", address).status == 200
    for address in ("attempts", "checks", "cancellation"):
        api("POST", f"/publications/{publication}/{address}")
    api("POST", "/publications/preflight", order(clip_id, account_id))

    assert "marker" not in api.heard
    with db.reading() as session:
        assert "marker" not in str(session.execute(text("SELECT * FROM publications")).all())


def test_the_page_of_the_document_loads_nothing_from_elsewhere(idle_api: Api) -> None:
    """A script from another server would act for whoever is signed in; and this page works without an internet."""
    page = idle_api("GET", "/docs")
    sources = re.findall(r'(?:src|href)="(.*?)"', page.body.decode())

    assert [source for source in sources if not source.startswith("data:")] == ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"]
    assert "'unsafe-inline'" not in page.headers["content-security-policy"].partition("script-src")[2].partition(";")[0]
    assert idle_api("GET", "/docs/swagger-ui-bundle.js").headers["content-type"].startswith("text/javascript")
    assert idle_api("GET", "/docs/..%2Fconsts.py").status == 404
