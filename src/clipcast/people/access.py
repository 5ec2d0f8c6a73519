"""What an endpoint asks for, who is asking, and whether the two fit.

An endpoint says `dependencies=[READS]` (or PUBLISHES, MANAGES); the few that anybody may call say `dependencies=[PUBLIC]`. One that says
nothing fails the tests. Who asks is an `Actor`: a person with a session cookie, or a program with an API key.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from clipcast.errors import Forbidden


class Permission(StrEnum):
    """What an endpoint may ask for."""

    READ = "read"  #: see posts, clips, accounts and what happened
    PUBLISH = "publish"  #: bring in clips, compose, schedule, publish, cancel
    MANAGE = "manage"  #: connect accounts, store credentials, people and keys


class Role(StrEnum):
    """What a person or a key is here."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


GRANTS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission),
    Role.EDITOR: frozenset({Permission.READ, Permission.PUBLISH}),
    Role.VIEWER: frozenset({Permission.READ}),
}

COMMAND_LINE: Final = "command line"
"""Who did it, when somebody with a shell on this machine did: whoever can run commands here has the database anyway."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, and what they may do."""

    kind: Literal["person", "key"]
    id: str
    name: str
    role: Role
    permissions: frozenset[Permission]

    @property
    def label(self) -> str:
        """How the ledger names them: by kind and id, never by name or address."""
        return f"{self.kind}:{self.id}"

    def must_have(self, needed: Permission) -> None:
        """Pass, or say what is missing.

        Raises:
            Forbidden: this actor lacks the permission.
        """
        if needed in self.permissions:
            return
        if needed in GRANTS[self.role]:
            raise Forbidden(f"This API key is limited to {_listed(self.permissions)}, and this needs {needed}. Use a key with that scope.")
        whose = "You are signed in as" if self.kind == "person" else "This API key is"
        article = "an" if self.role in {Role.OWNER, Role.EDITOR} else "a"
        raise Forbidden(f"{whose} {article} {self.role}, and this needs {needed}, which {_roles_with(needed)} may. Ask an owner.")


def _listed(permissions: frozenset[Permission]) -> str:
    return " and ".join(sorted(permissions)) or "nothing"


def _roles_with(needed: Permission) -> str:
    return " and ".join(f"an {role}" if role != Role.VIEWER else "a viewer" for role in Role if needed in GRANTS[role])


acting: Final[ContextVar[str | None]] = ContextVar("acting", default=None)
"""Whose request is being carried out here, as the ledger names them; nobody's where a worker, a command or a program of its own acts."""
