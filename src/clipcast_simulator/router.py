"""From a method and a path to a route. Paths are exact: a missing trailing slash is another path."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from clipcast_simulator.exchange import Request, Route


@dataclass(frozen=True, slots=True)
class Match:
    """A route and what its template captured."""

    route: Route
    params: dict[str, str]


class Router:
    """Finds routes; knows the difference between an unknown path and a known path asked with the wrong method."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, list[Route]] = {}
        self._templates: list[tuple[re.Pattern[str], Route]] = []
        for route in routes:
            if "{" in route.path:
                self._templates.append((_pattern(route.path), route))
            else:
                self._exact.setdefault(route.path, []).append(route)

    def find(self, request: Request) -> Match | None:
        """Return the route that answers a request."""
        for route in self._exact.get(request.path, ()):
            if route.method == request.method and (route.when is None or route.when(request)):
                return Match(route, {})
        for pattern, candidate in self._templates:
            if candidate.method != request.method or (candidate.when is not None and not candidate.when(request)):
                continue
            if match := pattern.fullmatch(request.path):
                return Match(candidate, match.groupdict())
        return None

    def knows(self, path: str) -> bool:
        """Say whether the path exists for some method."""
        return path in self._exact or any(pattern.fullmatch(path) for pattern, _ in self._templates)


def _pattern(template: str) -> re.Pattern[str]:
    """Turn `/apps/{client_key}` into a pattern whose segments do not cross a slash."""
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{part}>[^/]+)" if i % 2 else re.escape(part) for i, part in enumerate(parts)))
