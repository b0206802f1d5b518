"""The package's door: every public name is there, no name hides a module, and one interval does not load the models."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from preceptor import quality


def test_every_public_name_can_be_had() -> None:
    for name in quality.__all__:
        assert getattr(quality, name) is not None
    assert set(quality.__all__) <= set(dir(quality))


def test_type_checkers_see_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(Path(str(quality.__file__)).read_text())
    seen = {
        (node.module.removeprefix("preceptor.quality."), alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("preceptor.quality.")
        for alias in node.names
    }
    assert seen == {(module, name) for module, names in quality._MODULES.items() for name in names}
    assert {name for _, name in seen} == set(quality.__all__)


def test_no_public_name_is_that_of_a_submodule() -> None:
    # Importing the submodule would put it where the name was.
    modules = {module.name for module in pkgutil.iter_modules(quality.__path__)}
    assert not modules & set(quality.__all__)


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        quality.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_an_interval_does_not_load_the_models() -> None:
    code = (
        "import sys; from preceptor.quality import wilson; wilson(1, 2);"
        "print([name for name in sys.modules if name.startswith('preceptor.quality.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['preceptor.quality.intervals']"
