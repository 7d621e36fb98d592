"""A distribution as its user has it: built, and installed where there is nothing but what it asks for.

No network: the libraries are those of this environment, linked into the new one, where the installer compares their
versions with what the distribution allows.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.packaging import find_uv

_LIBRARIES = Path(sysconfig.get_path("purelib"))


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment. Programs run in its directory, far from the repository, and know nothing of it."""

    directory: Path

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """What a program of this environment does."""
        return subprocess.run(
            [self.program(program), *map(str, arguments)],
            cwd=self.directory,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def program(self, name: str) -> Path:
        return self.directory / "bin" / name

    @property
    def variables(self) -> dict[str, str]:
        return {"PATH": os.defpath, "HOME": str(self.directory), "COLUMNS": "200"}


def build(project: Path, into: Path) -> Path:
    """The wheel of the folder in which a pyproject.toml lies."""
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", into], at=project)
    [wheel] = into.glob("*.whl")
    return wheel


def contents(wheel: Path) -> set[str]:
    """What a wheel puts side by side into an environment, but for the description of itself."""
    names = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    return {name for name in names if not name.endswith(".dist-info")}


def install(wheel: Path, directory: Path, *, extras: Collection[str] = ()) -> Environment:
    """A new environment with the wheel, those of its optional parts that `extras` name, and what they ask for."""
    _run([find_uv(), "venv", "--python", sys.executable, directory], at=wheel.parent)
    [site_packages] = directory.glob("lib/python*/site-packages")
    for library in _asked_for(_description(wheel), extras).values():
        _link(library, site_packages)
    wanted = f"{wheel}[{','.join(extras)}]"
    _run([find_uv(), "pip", "install", "--no-index", "--python", directory, wanted], at=wheel.parent)
    return Environment(directory)


def _description(wheel: Path) -> Distribution:
    [folder] = [each for each in zipfile.Path(wheel).iterdir() if each.name.endswith(".dist-info")]
    return PathDistribution(folder)


def _asked_for(wanted: Distribution, extras: Collection[str]) -> dict[str, Distribution]:
    """By name, everything that a distribution leads to."""
    found: dict[str, Distribution] = {}
    seen = set()
    waiting = [(wanted, frozenset(extras))]
    while waiting:
        current, chosen = waiting.pop()
        for requirement in map(Requirement, current.requires or ()):
            if requirement.marker and not any(requirement.marker.evaluate({"extra": each}) for each in chosen | {""}):
                continue
            key = canonicalize_name(requirement.name), frozenset(requirement.extras)
            if key not in seen:
                seen.add(key)
                found[key[0]] = distribution(requirement.name)
                waiting.append((found[key[0]], key[1]))
    return found


def _link(library: Distribution, site_packages: Path) -> None:
    names = {file.parts[0] for file in library.files or ()} - {"..", "__pycache__"}
    for name in names:
        place = site_packages / name
        if name.endswith(".dist-info"):
            shutil.copytree(_LIBRARIES / name, place)  # the installer overlooks linked ones
        elif not place.exists():
            place.symlink_to(_LIBRARIES / name)


def _run(command: Sequence[str | Path], *, at: Path) -> None:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr
