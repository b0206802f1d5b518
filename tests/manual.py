"""The manual's code, for tests that run it."""

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from preceptor.tasktypes.base import task_types

DOCS = Path(__file__).resolve().parents[1] / "docs"


def code(page: str, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def stars_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the manual's example of a task type was built and installed."""
    source, place = tmp_path_factory.mktemp("stars"), tmp_path_factory.mktemp("installed")
    for name, language in (("pyproject.toml", "toml"), ("stars.py", "python"), ("stars.js", "js")):
        (text,) = code("task-types.md", language)
        (source / name).write_text(text)
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", place, source], check=True)
    return place


@pytest.fixture
def stars_installed(stars_package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example is a task type of this process."""
    monkeypatch.syspath_prepend(stars_package)
    importlib.invalidate_caches()
    task_types.cache_clear()
    yield
    task_types.cache_clear()
    sys.modules.pop("stars", None)
