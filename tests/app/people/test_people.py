"""People over HTTP: who may see and change whom, and what is remembered of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.people.browsing import EMAIL, PASSWORD, Browser, invited
from clipcast import ledger
from clipcast.people import invitations, store
from clipcast.people.access import Role
from clipcast.system import Clipcast

Member = Callable[[Role], Browser]

OWNERS_ALONE = [
    ("GET", "/people", None),
    ("PATCH", "/people/{owner}", {"role": "viewer"}),
    ("DELETE", "/people/{owner}", None),
    ("POST", "/people/invitations", {"role": "owner"}),
    ("GET", "/people/invitations", None),
    ("DELETE", "/people/invitations/x", None),
    ("POST", "/apikeys", {"name": "mine", "role": "viewer"}),
    ("GET", "/apikeys", None),
    ("DELETE", "/apikeys/x", None),
]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_only_owners_manage_people_and_keys(owner: Browser, member: Member, role: Role) -> None:
    owner_id, somebody = owner.me().json["id"], member(role)
    for method, path, body in OWNERS_ALONE:
        refused = somebody(method, path.format(owner=owner_id), body=body)
        assert (refused.status, refused.code) == (403, "forbidden"), (method, path)
        assert f"an {role}" in refused.json["detail"] or f"a {role}" in refused.json["detail"]
        assert "an owner may" in refused.json["detail"]
    assert somebody.me().json["role"] == role
    assert owner.me().status == 200


def test_nobody_sees_anything_without_signing_in(owner: Browser) -> None:
    stranger = owner.another()
    for method, path, body in [*OWNERS_ALONE, ("GET", "/people/me", None), ("PATCH", "/people/me", {"name": "Eve"})]:
        refused = stranger(method, path.format(owner=owner.me().json["id"]), body=body)
        assert (refused.status, refused.code) == (401, "unauthorized"), (method, path)
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert "clipcast apikeys create" in refused.json["detail"]


def test_people_are_listed_by_page_and_without_their_hashes(owner: Browser, member: Member) -> None:
    member(Role.EDITOR)
    member(Role.VIEWER)
    first = owner("GET", "/people?limit=2")
    second = owner("GET", f"/people?limit=2&before={first.json['next']}").json

    assert [person["role"] for person in first.json["people"] + second["people"]] == ["viewer", "editor", "owner"]
    assert second["next"] is None
    assert "argon2" not in first.text
    assert set(second["people"][0]) == {"id", "email", "name", "role", "last_login_at", "created_at", "updated_at"}


def test_the_last_owner_stays(owner: Browser, member: Member) -> None:
    owner_id = owner.me().json["id"]
    editor_id = member(Role.EDITOR).me().json["id"]

    for method, body in (("DELETE", None), ("PATCH", {"role": "editor"})):
        kept = owner(method, f"/people/{owner_id}", body=body)
        assert (kept.status, kept.code) == (409, "conflict")
        assert "last owner" in kept.json["detail"]
    assert owner("PATCH", f"/people/{editor_id}", body={"role": "owner"}).status == 200
    assert owner("DELETE", f"/people/{owner_id}").status == 204


def test_two_owners_who_leave_at_once_do_not_both_leave(owner: Browser, member: Member) -> None:
    browsers = [owner, member(Role.OWNER)]
    ids = [browser.me().json["id"] for browser in browsers]
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda pair: pair[0]("DELETE", f"/people/{pair[1]}").status, zip(browsers, ids, strict=True))

    assert sorted(answers) == [204, 409]


def test_people_rename_themselves(owner: Browser) -> None:
    assert owner("PATCH", "/people/me", body={"name": "  Ada   Lovelace "}).json["name"] == "Ada Lovelace"
    assert owner("PATCH", "/people/me", body={"name": "\u202eadA"}).status == 400
    assert owner("PATCH", "/people/me", body={"role": "viewer"}).status == 422


def test_nobody_is_changed_who_is_not_there(owner: Browser) -> None:
    assert owner("PATCH", "/people/nobody", body={"name": "Eve"}).status == 404
    assert owner("DELETE", "/people/nobody").status == 404
    assert owner("DELETE", "/people/invitations/nothing").status == 404


def test_deleting_a_person_keeps_what_happened_and_nothing_that_names_them(clipcast: Clipcast, owner: Browser, member: Member) -> None:
    owner_id = owner.me().json["id"]
    editor = member(Role.EDITOR)
    editor_id = editor.me().json["id"]
    editor("PATCH", "/people/me", body={"name": "Grace Hopper"})
    owner("PATCH", f"/people/{editor_id}", body={"role": "viewer"})
    owner("DELETE", f"/people/{editor_id}")

    with clipcast.db.reading() as session:
        happened = ledger.events(session, stream=f"person:{editor_id}")
        assert ledger.verify(session) == []
    told = [(event.event, event.details.get("actor", "").partition(":")[0]) for event in reversed(happened)]
    assert told == [
        ("person_created", "invitation"),
        ("person_signed_in", ""),
        ("person_changed", "person"),
        ("person_changed", "person"),
        ("person_deleted", "person"),
    ]
    assert happened[0].details == {"role": "viewer", "actor": f"person:{owner_id}"}
    everything = str([event.details for event in happened])
    assert "example.com" not in everything
    assert "Grace" not in everything


def test_who_let_somebody_in_can_be_read_later(clipcast: Clipcast, owner: Browser) -> None:
    """A link is as good as a key: the ledger says who made it, also when nobody ever used it; and never for which address."""
    by = f"person:{owner.me().json['id']}"
    made = owner("POST", "/people/invitations", body={"role": "owner", "email": "grace@example.com"}).json
    owner("DELETE", f"/people/invitations/{made['id']}")
    with clipcast.db.writing() as session:
        person = store.person_with(session, EMAIL)
        assert person is not None
        invitations.reset_link(session, person, clipcast.clock())

    with clipcast.db.reading() as session:
        of_invitation = ledger.events(session, stream=f"invitation:{made['id']}")
        [of_reset] = ledger.events(session, event="password_link_made")
    assert [(event.event, event.details) for event in reversed(of_invitation)] == [
        ("person_invited", {"role": "owner", "for_one_address": True, "actor": by}),
        ("invitation_withdrawn", {"actor": by}),
    ]
    assert (of_reset.entity_id, of_reset.details["actor"]) == (person.id, "command line")


def test_an_address_is_free_again_after_its_person_is_deleted(clipcast: Clipcast, owner: Browser, member: Member) -> None:
    editor_id = member(Role.EDITOR).me().json["id"]
    owner("DELETE", f"/people/{editor_id}")

    again = owner.another()
    assert again.join(invited(clipcast, Role.VIEWER), email="editor@example.com").status == 303
    assert again.me().json["id"] != editor_id


def test_secrets_stay_out_of_every_answer(owner: Browser) -> None:
    for body in (
        {"email": EMAIL, "password": ["s3cr3t-marker"]},
        {"email": EMAIL, "password": "s3cr3t-marker" * 100},
        {"password": "s3cr3t-marker"},
    ):
        refused = owner("POST", "/sessions", body=body)
        assert refused.status == 422
        assert "s3cr3t-marker" not in refused.text
    assert PASSWORD not in owner("GET", "/people").text
