"""The `fields` parameter: names, and names of what is inside, `id,owner{id,username}`."""

import re
from collections.abc import Mapping
from typing import Any, Final

from clipcast_simulator.instagram.errors import Refusal

Wanted = dict[str, "Wanted | None"]

_TOKEN: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[{},])\s*")


def parse(text: str | None, default: tuple[str, ...] = ("id",)) -> Wanted:
    """Read a list of fields; `default` when there is none. Raises Refusal.

    >>> parse("id,owner{id,username}")
    {'id': None, 'owner': {'id': None, 'username': None}}
    """
    if not text:
        return dict.fromkeys(default)
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text):
        raise _malformed(text)
    wanted = _names(tokens, text)
    if tokens:
        raise _malformed(text)
    return wanted


def check(wanted: Wanted, known: frozenset[str], kind: str) -> None:
    """Refuse fields that a kind of node does not have; raises Refusal."""
    if unknown := sorted(wanted.keys() - known):
        raise Refusal(100, message=f"(#100) Tried accessing nonexisting field ({unknown[0]}) on node type ({kind})")


def project(wanted: Wanted, node: Mapping[str, Any], known: frozenset[str], kind: str) -> dict[str, Any]:
    """Pick the wanted fields of a node. What is known and has no value is left out; the id is always there."""
    check(wanted, known, kind)
    found = {name: _inside(inner, node[name]) for name, inner in wanted.items() if node.get(name) is not None}
    return found | {"id": node["id"]} if "id" in node else found


def _inside(wanted: Wanted | None, value: Any) -> Any:
    if isinstance(value, Mapping) and wanted is not None:
        return project(wanted, value, frozenset(value), "Node")
    if isinstance(value, Mapping) and "id" in value:
        return {"id": value["id"]}
    return value


def _names(tokens: list[str], text: str) -> Wanted:
    wanted: Wanted = {}
    while True:
        if not tokens or not tokens[0].isidentifier():
            raise _malformed(text)
        name = tokens.pop(0)
        wanted[name] = None
        if tokens and tokens[0] == "{":
            tokens.pop(0)
            wanted[name] = _names(tokens, text)
            if not tokens or tokens.pop(0) != "}":
                raise _malformed(text)
        if not tokens or tokens[0] != ",":
            return wanted
        tokens.pop(0)


def _malformed(text: str) -> Refusal:
    return Refusal(2500, message=f"Syntax error in the field expression: {text[:100]}")
