"""Streams a body to disk: large blocks, constant memory, one block being written while the next one arrives."""

import asyncio
from pathlib import Path
from typing import BinaryIO

from clipcast_simulator.line import Line

_BLOCK = 1 << 20


async def receive_into(line: Line, path: Path, limit: int | None = None) -> int:
    """Write the body to a new file and return its size in bytes; the kernel has every byte when this returns.

    `limit` stops early, once so many bytes were read. Raises Disconnected when the client goes away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb", buffering=0) as file:
        return await _pour(line, file, limit)


async def discard(line: Line, limit: int) -> int:
    """Read and forget up to `limit` bytes of the body; return how many it had."""
    count = 0
    while count < limit and not line.is_complete:
        count += len(await line.read())
    return count


def throw_away(path: Path) -> int:
    """Delete an incomplete body and return how many bytes it had; a reset may have been faster."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    path.unlink(missing_ok=True)
    return size


async def _pour(line: Line, file: BinaryIO, limit: int | None) -> int:
    count, blocks, held = 0, [], 0
    writing: asyncio.Future[None] | None = None
    try:
        while not line.is_complete and (limit is None or count + held < limit):
            block = await line.read()
            blocks.append(block)
            held += len(block)
            if held >= _BLOCK:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(asyncio.to_thread(_write, file, blocks))
                count, blocks, held = count + held, [], 0
    finally:
        if writing is not None:
            await writing
    _write(file, blocks)
    return count + held


def _write(file: BinaryIO, blocks: list[bytes]) -> None:
    for block in blocks:
        view = memoryview(block)
        while view:
            view = view[file.write(view) :]
