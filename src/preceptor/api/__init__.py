"""The HTTP API under /api/v1: routers and schemas over the same services as the pages."""

import importlib
import pkgutil

from fastapi import APIRouter

DESCRIPTION = """
Errors are problem documents (RFC 9457) with a stable `code`. Lists are paged by cursor: pass `next_cursor` back as
`cursor`. A POST that creates accepts `Idempotency-Key`: the same key and body give the same answer again.
Sign in with `Authorization: Bearer pk_...` (make keys under Settings, API keys).
"""


def routers() -> list[APIRouter]:
    """Every router of this package, found by module so that a new page of the API needs no list."""
    found = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda entry: entry.name):
        router = getattr(importlib.import_module(f"{__name__}.{module.name}"), "router", None)
        if isinstance(router, APIRouter):
            found.append(router)
    return found
