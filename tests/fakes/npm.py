"""An npm that does what the admin UI's does, without node: a script on a PATH of its own, beside a source tree in which it builds."""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INDEX = '<meta name="csp-nonce" content="__CSP_NONCE__">'
SCRIPT = f"""#!{sys.executable}
import gzip, os, pathlib, sys
with open({{log!r}}, "a") as log:
    log.write(" ".join(sys.argv[1:3]) + "\\n")
if os.environ.get("FAKE_NPM") == "fails":
    print("npm error: canary")
    sys.exit(1)
if sys.argv[1] == "ci":
    pathlib.Path("node_modules").mkdir(exist_ok=True)
if sys.argv[1] == "run":
    assets = pathlib.Path("../orchestrator/ui/assets")
    assets.mkdir(parents=True, exist_ok=True)
    (assets / "a-1.js").write_text("let a = 1")
    (assets / "a-1.js.gz").write_bytes(gzip.compress(b"let a = 1", mtime=0))
    assets.with_name("index.html").write_text({INDEX!r})
"""


class Npm:
    """The fake in a folder of its own. path: a PATH with it; nothing else that is needed is on it but Python and the shell's tools."""

    def __init__(self, folder):
        self.log = folder / "npm.log"
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        script = bin_folder / "npm"
        script.write_text(SCRIPT.format(log=str(self.log)))
        script.chmod(0o755)
        self.path = f"{bin_folder}{os.pathsep}{without_npm()}"

    def calls(self):
        """What it was called for since the last look."""
        found = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return found


def without_npm():
    """The PATH without the folders that have an npm."""
    return os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if shutil.which("npm", path=folder) is None)


def source_tree(folder):
    """What a package is built of, with a frontend that is only a stand-in."""
    for name in ("orchestrator", "migrations", "config"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "ui"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    frontend = folder / "frontend"
    (frontend / "src").mkdir(parents=True)
    shutil.copy(ROOT / "frontend" / "build_ui.py", frontend)
    (frontend / "package.json").write_text("{}")
    (frontend / "package-lock.json").write_text("{}")
    (frontend / "src" / "main.tsx").write_text("let a = 1")
    return folder
