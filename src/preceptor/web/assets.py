"""Addresses of built front-end files: `asset("app.js")` is where this build's `app.js` is served."""

import json
from functools import cache
from pathlib import Path

STATIC_DIR = Path(__file__).parent / "static"
DIST_DIR = STATIC_DIR / "dist"
DIST_URL = "/static/dist"


class AssetsNotBuilt(RuntimeError):
    """The pages' scripts and styles are missing. Run `make build` (needs Node 20 or later), then start again."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class UnknownAsset(LookupError):
    """No built file has this name; `assets.json` in the build folder lists all names."""


@cache
def manifest(dist: Path = DIST_DIR) -> dict[str, str]:
    """Plain file name to built file name, read once per process from `assets.json`."""
    path = dist / "assets.json"
    if not path.is_file():
        raise AssetsNotBuilt
    names: dict[str, str] = json.loads(path.read_text())
    return names


def element_asset(tag: str) -> str | None:
    """The address of a custom element's own script, for preloading; None for an element that this build has not got."""
    built = manifest().get(f"{tag.removeprefix('preceptor-')}.js")
    return None if built is None else f"{DIST_URL}/{built}"


def asset(name: str) -> str:
    """The address of a built file, such as `/static/dist/app-1a2b3c.js` for `app.js`.

    Built names change with their content, so they can be cached forever.
    Raises `AssetsNotBuilt` before the first build and `UnknownAsset` for a name that the build did not make.
    """
    built = manifest().get(name)
    if built is None:
        raise UnknownAsset(name)
    return f"{DIST_URL}/{built}"
