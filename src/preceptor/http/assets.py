"""Built files of the pages: compressed, and kept by browsers for as long as their name stays the same."""

import re
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

COMPRESSED_FROM_BYTES: Final = 1_000
COMPRESS_LEVEL: Final = 6
_HASHED: Final = re.compile(r"(^|/)dist/[^/]+-[A-Za-z0-9_-]{8}\.[a-z0-9]+\Z")
"""Names that the bundler makes from the content: another content has another name."""
FOREVER: Final = "public, max-age=31536000, immutable"


class _Kept(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if _HASHED.search(path.replace("\\", "/")) and response.status_code in (200, 206, 304):
            response.headers["Cache-Control"] = FOREVER
        return response


class StaticAssets:
    """ASGI application that serves a folder. Parts of files are served as they are: gzip has no place for ranges."""

    def __init__(self, directory: Path) -> None:
        self._plain = _Kept(directory=directory, check_dir=False)
        self._compressed = GZipMiddleware(self._plain, minimum_size=COMPRESSED_FROM_BYTES, compresslevel=COMPRESS_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._plain if "range" in Headers(scope=scope) else self._compressed
        await app(scope, receive, send)
