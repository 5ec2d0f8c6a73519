"""A loopback address for our media, where the simulator fetches what a real platform would fetch from the public one."""

import threading

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from clipcast.clips.routes import media_router


def media_app(house: object) -> FastAPI:
    """The signed media links alone; `house` has what their routes need (`MediaHouse`)."""
    app = FastAPI(openapi_url=None)
    app.state.clipcast = house
    app.include_router(media_router)
    return app


class MediaServer:
    """Serves an application on a free loopback port, in a thread of its own."""

    def __init__(self, app: ASGIApp) -> None:
        # Who fetches may ask again on a connection that it kept; uvicorn's five seconds could end just then.
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", access_log=False, timeout_keep_alive=75)
        self._socket = config.bind_socket()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="clipcast-media", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()
