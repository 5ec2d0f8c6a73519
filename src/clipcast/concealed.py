"""Values that show themselves to nobody who does not ask for them by name."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Never, Self, SupportsIndex

MASK: Final = "***"


class Concealed(Mapping[str, str]):
    """Names and secrets. Reading one takes its name; printing, formatting and logging all of them shows the names alone.

    It is no `dict`, so `json.dumps` refuses it, and it cannot be pickled: a secret leaves this process on purpose or not at all.

    >>> Concealed({"access_token": "act.1"})
    {'access_token': '***'}
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self._values, MASK))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self  # it never changes, and `dataclasses.asdict` must not take it apart

    def __reduce_ex__(self, _: SupportsIndex) -> Never:
        raise TypeError("Secrets cannot be pickled.")
