"""From what stands on the command line to a clip."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipcast.clips.models import Clip
    from clipcast.system import Clipcast


def holds(look: Callable[[], bool]) -> bool:
    """What `Path.exists` or `Path.is_file` sees; nothing where a name is too long for any file, or a directory lets nobody in."""
    try:
        return look()
    except OSError:
        return False


def clip_of(clipcast: "Clipcast", source: str) -> "Clip":
    """The clip that `source` names: a URL, a file, or the id of a clip that is in the library already.

    Raises:
        NotFound: there is no such file or clip.
        InvalidRequest, Busy: as `Library.add_file` and `Library.add_url`.
    """
    from clipcast.clips.store import get_clip
    from clipcast.errors import NotFound

    if source.startswith(("http://", "https://")):
        return clipcast.library.add_url(source)
    if not holds(Path(source).exists):
        with suppress(NotFound), clipcast.db.reading() as session:
            return get_clip(session, source)
    return clipcast.library.add_file(Path(source))
