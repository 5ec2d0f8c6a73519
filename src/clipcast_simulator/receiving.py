"""Streams a body to disk: large blocks, constant memory, one block being written while the next one arrives."""

import asyncio
from pathlib import Path
from typing import BinaryIO

from clipcast_simulator.line import Line

_BLOCK = 1 << 20


async def receive_into(line: Line, path: Path, size: int) -> None:
    """Write a body of `size` bytes to a new file; the kernel has every byte when this returns.

    Raises Disconnected when the client goes away first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    first = await line.read()
    if not line.is_complete:
        line.hasten(size - len(first))
    with path.open("wb", buffering=0) as file:
        await _pour(line, file, first)


async def receive_fragment(line: Line, path: Path, limit: int) -> None:
    """Write the first `limit` bytes of a body to a new file and leave the rest unread; raises Disconnected."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb", buffering=0) as file:
        while limit and not line.is_complete:
            block = (await line.read())[:limit]
            limit -= len(block)
            await asyncio.to_thread(_write, file, [block])


async def discard(line: Line, limit: int) -> int:
    """Read and forget up to `limit` bytes of the body; return how many it had."""
    count = 0
    while count < limit and not line.is_complete:
        count += len(await line.read())
    return count


def size_of(path: Path) -> int:
    """Return how many bytes of a body are there; a reset of the state may have been faster."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


async def _pour(line: Line, file: BinaryIO, first: bytes) -> None:
    blocks, held = [first], len(first)
    writing: asyncio.Future[None] | None = None
    try:
        while not line.is_complete:
            block = await line.read()
            blocks.append(block)
            held += len(block)
            if held >= _BLOCK:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(asyncio.to_thread(_write, file, blocks))
                blocks, held = [], 0
    finally:
        if writing is not None:
            await writing
        _write(file, blocks)


def _write(file: BinaryIO, blocks: list[bytes]) -> None:
    for block in blocks:
        view = memoryview(block)
        while view:
            view = view[file.write(view) :]
