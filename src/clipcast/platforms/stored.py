"""Flow states as JSON: how every platform writes its states down, and reads back what an older or newer Clipcast wrote."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from clipcast.errors import ConfigurationError
from clipcast.platforms.base import JsonValue

StateT = TypeVar("StateT")


class StoredStates(Generic[StateT]):
    """The states of one platform (`label` is its name for people), each a dataclass known by its class's name in lower case."""

    def __init__(self, label: str, version: int, *kinds: type[Any]) -> None:
        self._label, self._version = label, version
        self._kinds: dict[str, TypeAdapter[Any]] = {kind.__name__.lower(): TypeAdapter(kind) for kind in kinds}

    def dump(self, state: StateT) -> dict[str, JsonValue]:
        """The state as JSON, with its version and kind."""
        kind = type(state).__name__.lower()
        return {"version": self._version, "kind": kind, **self._kinds[kind].dump_python(state, mode="json")}

    def load(self, stored: Mapping[str, JsonValue]) -> StateT:
        """The state from what `dump` made.

        Raises:
            ConfigurationError: another version of Clipcast wrote this, and this one cannot read it.
        """
        version, kind = stored.get("version"), str(stored.get("kind"))
        if version != self._version or kind not in self._kinds:
            raise ConfigurationError(
                f"This publication was stored by another version of Clipcast ({self._label} flow {kind!r}, version {version!r}; "
                f"known is version {self._version}); run that version, or a newer one."
            )
        try:
            state = self._kinds[kind].validate_python({key: value for key, value in stored.items() if key not in ("version", "kind")})
        except ValidationError as error:
            fields = ", ".join(sorted({str(each["loc"][0]) for each in error.errors()}))
            raise ConfigurationError(f"This publication's stored {self._label} flow ({kind}) is damaged: {fields}.") from None
        return cast("StateT", state)
