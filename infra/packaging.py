"""Building the packages of the functions: `lambdas/` with locked dependencies, without Docker."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "lambdas"
REQUIREMENTS = ROOT / "requirements"

PYTHON_VERSION = "3.13"
MOUNTED_AT = "/var/task"
"""Where Lambda puts the asset; it is what tracebacks name."""

type PackageName = Literal["hot", "lean", "analytic"]
type ArchitectureName = Literal["arm64", "x86_64"]
# The runtime is Amazon Linux 2023, with glibc 2.34.
_PLATFORMS: dict[ArchitectureName, str] = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
_METADATA_KEPT = {"METADATA", "licenses"}  # redis reads its own version; licences ask to be passed on


@dataclass(frozen=True, slots=True)
class Package:
    """What functions run from."""

    name: PackageName
    requirements: Path
    budget_mb: float
    """Unpacked."""
    compiled: bool
    only: tuple[str, ...] = ("*",)
    """Files and folders that it carries, as patterns; the rest of what is installed is left out."""
    without: tuple[str, ...] = ()
    """Files and folders that nothing here imports, as patterns."""


_TABLES = ("stdnum/*.dat",)
"""python-stdnum's of banks, books and network cards; those of persons' ids lie in the folders of their countries."""

HOT = Package(
    "hot",
    REQUIREMENTS / "lambda.txt",
    # With compiled modules; 10 MB in December 2026. What grows it (phonenumbers' place names are 20 MB, boto3 27 MB) is
    # paid for at each cold start, while a caller waits.
    budget_mb=11.0,
    compiled=True,
    only=(
        *(f"cir/{name}" for name in ("__init__.py", "connect.py", "settings.py")),
        *(f"cir/{room}" for room in ("aws", "identity", "index", "resolve", "runtime")),
        *(f"functions/{name}" for name in ("__init__.py", "invalidator", "resolver")),
        # By hand, since what is imported only when it is needed (idna) shows at no start.
        *("hiredis", "idna", "phonenumbers", "redis"),
        *("hiredis-*", "idna-*", "phonenumberslite-*", "redis-*"),
    ),
)
"""For those that answer callers: no HTTP client, nothing of Genesys or a CRM."""
LEAN = Package(
    "lean",
    REQUIREMENTS / "lambda.txt",
    # With compiled modules; 16 MB in December 2026.
    budget_mb=18.0,
    compiled=True,
    # The search for duplicates, which only the other package has the libraries for.
    without=("cir/duplicates", "functions/duplicates.py", *_TABLES),
)
ANALYTIC = Package(
    "analytic",
    REQUIREMENTS / "duplicates.txt",
    # 228 MB on ARM and 254 on x86-64 in November 2026; Lambda takes 262. What runs at night may compile when it starts.
    budget_mb=258.0,
    compiled=False,
    without=("pyarrow/*flight*", "pyarrow/*s3*", *_TABLES),
)
"""With DuckDB and Splink, for work on a whole base."""


class PackagingError(Exception):
    """The asset cannot be built. The message is one sentence."""


def architecture_named(name: object) -> ArchitectureName:
    """From `-c arch=`, which runs on this machine need where it is no ARM. Raises PackagingError."""
    match name:
        case None | "arm64":
            return "arm64"
        case "x86_64":
            return "x86_64"
    raise PackagingError(f"-c arch={name} is neither arm64 nor x86_64.")


def native_architecture() -> ArchitectureName:
    """Of this machine, for packages that are run here. Raises PackagingError."""
    machine = platform.machine().lower()
    match machine:
        case "arm64" | "aarch64":
            return "arm64"
        case "x86_64" | "amd64":
            return "x86_64"
    raise PackagingError(f"The package is built for arm64 and x86_64, not for {machine}.")


def build(output: Path, package: Package = LEAN, *, uv: Path, architecture: ArchitectureName) -> None:
    """Write the package into an empty directory. The same inputs give the same bytes. Raises PackagingError."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON_VERSION:
        raise PackagingError(
            f"Modules must be compiled by Python {PYTHON_VERSION}, but this is {sys.version.split()[0]}."
        )
    _install(output, package.requirements, uv=uv, architecture=architecture)
    for metadata in output.glob("*.dist-info"):
        for path in metadata.iterdir():
            if path.name not in _METADATA_KEPT:
                path.unlink()
    shutil.rmtree(output / "bin", ignore_errors=True)
    (output / ".lock").unlink(missing_ok=True)
    for stub in list(output.rglob("*.pyi")):
        stub.unlink()
    for unused in [*output.rglob("tests"), *output.glob("*/include")]:
        shutil.rmtree(unused)
    shutil.copytree(SOURCES, output, ignore=shutil.ignore_patterns("__pycache__", ".*"), dirs_exist_ok=True)
    _keep_only(output, package.only)
    for pattern in package.without:
        for path in list(output.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if package.compiled:
        _compile(output)
    _check_size(output, package.budget_mb)


def _install(output: Path, requirements: Path, *, uv: Path, architecture: ArchitectureName) -> None:
    command: list[str | Path] = [
        *(uv, "pip", "install", "--quiet", "--link-mode", "copy", "--target", output),
        *("--python-platform", _PLATFORMS[architecture], "--python-version", PYTHON_VERSION),
        *("--only-binary", ":all:", "--require-hashes", "-r", requirements),
    ]
    # From the cache where that has everything, as it has from the second time on: no network, and faster.
    if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode == 0:
        return
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise PackagingError(f"uv could not install {requirements.name}: {result.stderr.strip()}")


def _keep_only(output: Path, patterns: Iterable[str]) -> None:
    """Raises PackagingError for a pattern that nothing fits: it would stay in the list for ever."""
    kept: set[Path] = set()
    for pattern in patterns:
        found = list(output.glob(pattern))
        if not found:
            raise PackagingError(f"The package is to carry {pattern}, which neither lambdas/ nor a library has.")
        for path in found:
            kept |= {path, *path.rglob("*"), *path.parents}
    for path in sorted(output.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path not in kept:
            path.rmdir() if path.is_dir() else path.unlink()


def _compile(output: Path) -> None:
    """Lambda's file system is read-only and the archive's times are of 1980, so Python would compile every module at
    every cold start (596 ms instead of 240, measured), unless the compiled ones say that they need no check."""
    # A process of its own: marshalled constants depend on what else the compiling process holds.
    result = subprocess.run(
        [
            *(sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
            *("-s", output, "-p", MOUNTED_AT, output),
        ],
        env=os.environ | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise PackagingError(f"A module does not compile: {result.stdout.strip()}")


def _check_size(output: Path, budget_mb: float) -> None:
    size = size_mb(output)
    if size > budget_mb:
        raise PackagingError(f"The package is {size:.1f} MB unpacked, over its budget of {budget_mb:.0f} MB.")


def size_mb(asset: Path) -> float:
    """Unpacked, which is what Lambda's limit of 250 MB is about."""
    return sum(path.stat().st_size for path in asset.rglob("*") if path.is_file()) / 1e6


def find_uv() -> Path:
    """The installer: this checkout's own, else the one on the PATH. Raises PackagingError."""
    own = ROOT / ".tools" / "bin" / "uv"
    found = own if own.exists() else shutil.which("uv")
    if not found:
        raise PackagingError("uv is neither in .tools/bin, where `make setup` puts it, nor on the PATH.")
    return Path(found)
