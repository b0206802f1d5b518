"""Pages: server-rendered HTML with htmx and custom elements, over the same services as the API."""

import importlib
import pkgutil

from fastapi import APIRouter

from preceptor.kit.settings import Mode


def routers(mode: Mode) -> list[APIRouter]:
    """Every router of this package; those named `demo_router` only where the demo or development runs."""
    names = ["router"] if mode == "normal" else ["router", "demo_router"]
    found = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda entry: entry.name):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        found += [getattr(loaded, name) for name in names if isinstance(getattr(loaded, name, None), APIRouter)]
    return found
