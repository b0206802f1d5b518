"""Built files as browsers fetch them."""

import pytest
from fastapi.testclient import TestClient

from preceptor.web.assets import AssetsNotBuilt, asset


@pytest.fixture
def script() -> str:
    try:
        return asset("app.js")
    except AssetsNotBuilt as missing:
        pytest.fail(str(missing))


def test_scripts_are_compressed_and_kept_for_good(client: TestClient, script: str) -> None:
    plain = client.get(script, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = client.get(script, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert packed.content == plain.content
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_names_that_stay_the_same_are_asked_for_again(client: TestClient) -> None:
    assert "immutable" not in client.get("/static/dist/assets.json").headers.get("cache-control", "")
    assert client.get("/static/dist/missing-abcdefgh.js").headers.get("cache-control") is None


def test_a_part_of_a_file_is_that_part(client: TestClient, script: str) -> None:
    whole = client.get(script, headers={"accept-encoding": "identity"}).content
    part = client.get(script, headers={"accept-encoding": "gzip", "range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
