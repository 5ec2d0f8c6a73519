"""Roles and what they may."""

import pytest

from clipcast.errors import Forbidden
from clipcast.people.access import GRANTS, Actor, Permission, Role


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.OWNER, {Permission.READ, Permission.PUBLISH, Permission.MANAGE}),
        (Role.EDITOR, {Permission.READ, Permission.PUBLISH}),
        (Role.VIEWER, {Permission.READ}),
    ],
)
def test_each_role_may_what_it_says(role: Role, may: set[Permission]) -> None:
    actor = Actor("person", "1", "Ada", role, GRANTS[role])
    for permission in may:
        actor.must_have(permission)
    for permission in set(Permission) - may:
        with pytest.raises(Forbidden, match=f"{role}, and this needs {permission}"):
            actor.must_have(permission)


def test_who_is_refused_hears_who_may() -> None:
    editor = Actor("person", "1", "Ada", Role.EDITOR, GRANTS[Role.EDITOR])
    with pytest.raises(Forbidden, match="signed in as an editor, and this needs manage, which an owner may"):
        editor.must_have(Permission.MANAGE)

    viewer = Actor("key", "2", "a program", Role.VIEWER, GRANTS[Role.VIEWER])
    with pytest.raises(Forbidden, match="API key is a viewer, and this needs publish, which an owner and an editor may"):
        viewer.must_have(Permission.PUBLISH)

    narrow = Actor("key", "3", "a program", Role.OWNER, frozenset({Permission.READ}))
    with pytest.raises(Forbidden, match="limited to read, and this needs manage"):
        narrow.must_have(Permission.MANAGE)
