"""Who knocks: each role, each way of being nobody."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from clipcast.db.engine import Database
from keys import MADE_AT, bearer, new_key

READ: Final = frozenset({"read"})
PUBLISH: Final = frozenset({"read", "publish"})
ALL: Final = frozenset({"read", "publish", "manage"})

Headers = Mapping[str, str]
Make = Callable[[Database], Headers]

GRANTED: Final[Mapping[str, tuple[frozenset[str], Make]]] = {
    "viewer": (READ, lambda db: bearer(new_key(db, "viewer"))),
    "editor": (PUBLISH, lambda db: bearer(new_key(db, "editor"))),
    "owner": (ALL, lambda db: bearer(new_key(db, "owner"))),
    "owner's key to read": (READ, lambda db: bearer(new_key(db, "owner", scopes=["read"]))),
    "owner's key to publish only": (frozenset({"publish"}), lambda db: bearer(new_key(db, "owner", scopes=["publish"]))),
    "editor's key that ends later": (PUBLISH, lambda db: bearer(new_key(db, "editor", expires_at=MADE_AT + timedelta(days=999)))),
    "a scheme in capitals": (READ, lambda db: {"Authorization": f"BEARER {new_key(db, 'viewer')}"}),
}
"""Whoever is known, with what they may do."""

NOBODY: Final[Mapping[str, Make]] = {
    "nobody": lambda _: {},
    "revoked key": lambda db: bearer(new_key(db, "owner", revoked_at=MADE_AT)),
    "expired key": lambda db: bearer(new_key(db, "owner", expires_at=MADE_AT)),
    "unknown key": lambda _: bearer("clipcast_" + "x" * 43),
    "key with a letter more": lambda db: bearer(new_key(db) + "x"),
    "key with a letter less": lambda db: bearer(new_key(db)[:-1]),
    "key without a scheme": lambda db: {"Authorization": new_key(db)},
    "key as Basic": lambda db: {"Authorization": f"Basic {new_key(db)}"},
    "empty header": lambda _: {"Authorization": ""},
    "scheme alone": lambda _: {"Authorization": "Bearer"},
    "two keys": lambda db: {"Authorization": f"Bearer {new_key(db)}, Bearer {new_key(db)}"},
    "not ASCII": lambda _: {"Authorization": "Bearer \u00e9\u00ff"},
    "very long": lambda _: bearer("x" * 30_000),
    "key in the cookie": lambda db: {"Cookie": f"clipcast_session={new_key(db)}"},
}
"""Whoever is not known, in every way that somebody may try."""
