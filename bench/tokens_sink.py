"""A token endpoint that takes its time: `python bench/tokens_sink.py DELAY_S` prints its port; it answers as TikTok's does."""

import asyncio
import itertools
import json
import sys

_NUMBERS = itertools.count(1)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            await reader.readexactly(length)
            await asyncio.sleep(delay_s)
            number = next(_NUMBERS)
            tokens = {"access_token": f"act.{number:060}", "refresh_token": f"rft.{number:060}", "open_id": "o", "token_type": "Bearer"}
            body = json.dumps({**tokens, "expires_in": 86_400, "refresh_expires_in": 31_536_000, "scope": "video.publish"}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main(delay_s: float) -> None:
    server = await asyncio.start_server(lambda reader, writer: _serve(reader, writer, delay_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1])))
