"""One web process on an inherited listening socket: `--fd 5 --app module:factory`.

Started by `preceptor serve`, several on one socket. Not meant to be typed.
"""

import argparse
import socket
from collections.abc import Sequence

import uvicorn

GRACE_SECONDS = 10
"""How long open requests may finish after a stop; shorter than the supervisor's own grace."""
KEEP_ALIVE_SECONDS = 75
"""Longer than the usual 60 s of reverse proxies, so that they close idle connections, not we."""


def serve(fd: int, app: str, *, log_level: str = "warning", trusted_proxies: str = "127.0.0.1") -> None:
    """Serve the application that the factory `app` (`module:function`) makes until SIGTERM."""
    # Made from the number alone, the socket finds out its own family; uvicorn's fd option assumes a
    # Unix socket and would lose the clients' addresses.
    door = socket.socket(fileno=fd)
    config = uvicorn.Config(
        app,
        factory=True,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level=log_level,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        forwarded_allow_ips=trusted_proxies,
    )
    uvicorn.Server(config).run(sockets=[door])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="preceptor.cli.webprocess", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="number of the inherited listening socket")
    parser.add_argument("--app", required=True, help="application factory as module:function")
    parser.add_argument("--log-level", default="warning")
    parser.add_argument("--trusted-proxies", default="127.0.0.1", help="addresses whose X-Forwarded-* are believed")
    given = parser.parse_args(argv)
    serve(given.fd, given.app, log_level=given.log_level, trusted_proxies=given.trusted_proxies)


if __name__ == "__main__":
    main()
