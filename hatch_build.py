"""Puts the admin UI into wheels and sdists, built first where need be.

ORCHESTRATOR_UI=skip leaves it out. An unpacked sdist uses the one that it carries, so that it needs no node. Where it cannot be built the build goes on
without it (or with the older one that is there), but fails with CI=true. An editable install takes no part: `make ui` builds what it serves.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "frontend"))

from build_ui import NotBuilt, Ui  # noqa: E402


class UiHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        ui = Ui(ROOT)
        if version == "editable" or os.environ.get("ORCHESTRATOR_UI") == "skip":
            return
        if not ((ROOT / "PKG-INFO").is_file() and ui.is_there):
            try:
                ui.build(self.app.display_info)
            except NotBuilt as problem:
                if os.environ.get("CI") == "true":
                    raise
                self.app.display_warning(f"{problem}; {'an older admin UI is packed' if ui.is_there else 'the admin UI is left out'}")
        build_data["artifacts"] += ["/orchestrator/ui/**", "!/orchestrator/ui/.sources"]
