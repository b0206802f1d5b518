"""Builds the pages (npm) into the package, so that `pip install .` works from a clean clone."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "pages"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Include the manual; run npm unless this is an editable install, whose pages `make build` keeps up to date."""
        root = Path(self.root)
        if version != "editable" and (root / "docs").is_dir():
            # A clone reads its own docs folder; an installed package carries it.
            build_data.setdefault("force_include", {})[str(root / "docs")] = "preceptor/docs"
        built = root / "src" / "preceptor" / "web" / "static" / "dist" / "assets.json"
        if version == "editable" or (built.exists() and not (root / "frontend").exists()):
            return
        if shutil.which("npm") is None:
            raise RuntimeError("Node 20 or later (with npm) is needed to build Preceptor's pages.")
        for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
            subprocess.run(command, cwd=root / "frontend", check=True)
