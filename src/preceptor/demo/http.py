"""A small JSON client over one kept-alive connection: what a contributor's script would use."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

RETRIES = 5


class Refused(Exception):
    """The API answered with a problem document."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("code", status))
        super().__init__(f"{status} {self.code}: {body.get('detail', '')}")


class Api:
    """Calls `/api/v1` as one person. Not safe for several threads; make one for each."""

    def __init__(self, base: str, key: str) -> None:
        where = urlsplit(base)
        self._connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=60)
        self._authorization = f"Bearer {key}"

    def as_person(self, key: str) -> None:
        """Go on as somebody else, over the same connection."""
        self._authorization = f"Bearer {key}"

    def get(self, path: str) -> dict[str, Any]:
        return self._call("GET", path, b"", "application/json")

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._call("POST", path, json.dumps(body or {}).encode(), "application/json")

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call("PUT", path, json.dumps(body).encode(), "application/json")

    def upload(self, path: str, data: bytes) -> dict[str, Any]:
        return self._call("POST", path, data, "application/octet-stream")

    def close(self) -> None:
        self._connection.close()

    def _call(self, method: str, path: str, body: bytes, kind: str) -> dict[str, Any]:
        headers = {"Authorization": self._authorization, "Content-Type": kind}
        for attempt in range(RETRIES):
            try:
                self._connection.request(method, f"/api/v1{path}", body, headers)
                answer = self._connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                # A server may close an idle connection; every call here is safe to repeat.
                self._connection.close()
                if attempt == RETRIES - 1:
                    raise
        content: dict[str, Any] = json.loads(text) if text else {}
        if answer.status >= 400:
            raise Refused(answer.status, content)
        return content
