"""Scripts of kinds of work that come in packages of their own: each defines the element that its desk asks for."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse

from preceptor.http.assets import FOREVER
from preceptor.kit.errors import NotFound
from preceptor.tasktypes.base import AnyTaskType, task_types

router = APIRouter()

_TAG: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


def brought() -> Mapping[str, str]:
    """Address of the script by tag of the element, for the kinds that bring one."""
    return {kind.element: f"/kinds/{_name(kind.element, kind.script)}" for kind in task_types().values() if kind.script}


@router.get("/kinds/{name}")
def script(name: str) -> FileResponse:
    """The script under the name of its content, so that browsers keep it for as long as it stays the same."""
    found = next((kind for kind in task_types().values() if _is(kind, name)), None)
    if found is None or found.script is None:
        raise NotFound("file")
    return FileResponse(found.script, media_type="text/javascript", headers={"Cache-Control": FOREVER})


def _is(kind: AnyTaskType, name: str) -> bool:
    return kind.script is not None and _name(kind.element, kind.script) == name


def _name(tag: str, path: Path) -> str:
    if not _TAG.fullmatch(tag):
        raise ValueError(f"{tag!r} cannot be the tag of an element: it needs a hyphen, and small letters around it")
    return f"{tag}-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}.js"
