"""The asset that Lambda is given: built without Docker or network, small, compiled, and the same every time."""

import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grimp
import pytest

from infra.catalog.functions import PARTS
from infra.packaging import ANALYTIC, HOT, LEAN, ArchitectureName, Package, PackagingError, build, find_uv, size_mb
from tests.support.assembly import ROOT

pytestmark = pytest.mark.slow

UV = find_uv()
MACHINES: dict[ArchitectureName, bytes] = {"arm64": b"\xb7\x00", "x86_64": b"\x3e\x00"}
"""The field e_machine of an ELF file: AArch64 is 183, x86-64 is 62."""

START = """
import pkgutil, sys
from importlib import import_module
sys.path = [sys.argv[1], *(path for path in sys.path if "site-packages" not in path)]
import functions.invalidator.handler, functions.resolver.handler, cir
from cir.identity.parsing import parse
from cir.identity.rules import IdentifierType
for module in pkgutil.walk_packages(cir.__path__, "cir."):
    import_module(module.name)
assert parse(IdentifierType.EMAIL, "jane@b\u00fccher.example").value == "jane@xn--bcher-kva.example"
print(functions.resolver.handler.__cached__)
"""
"""What is imported at no start is imported too, but for what functions that have the AWS SDK import of it."""
NATIONAL_IDS = """
import sys
sys.path = [sys.argv[1], *(path for path in sys.path if "site-packages" not in path)]
from cir.crm.national_ids import national_id
print(national_id("360426199101010071"), national_id("770305-02-1234"), sep="\\n")
"""
"""Two that are checked against a table of places."""


@pytest.fixture(scope="module", params=[HOT, LEAN], ids=lambda package: package.name)
def package(request: pytest.FixtureRequest) -> Package:
    chosen: Package = request.param
    return chosen


@pytest.fixture(scope="module")
def asset(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it is deployed."""
    return _built(tmp_path_factory.mktemp("asset"), package, "arm64")


def _built(directory: Path, package: Package, architecture: ArchitectureName) -> Path:
    build(directory, package, uv=UV, architecture=architecture)
    return directory


def _files(asset: Path) -> Iterator[Path]:
    return (path for path in sorted(asset.rglob("*")) if path.is_file())


def _digest(asset: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(asset):
        digest.update(f"{path.relative_to(asset)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def test_the_same_inputs_give_the_same_bytes(asset: Path, package: Package, tmp_path: Path) -> None:
    assert _digest(_built(tmp_path, package, "arm64")) == _digest(asset)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_native_code_is_for_the_architecture(
    asset: Path, package: Package, tmp_path: Path, architecture: ArchitectureName
) -> None:
    built = asset if architecture == "arm64" else _built(tmp_path, package, architecture)
    libraries = list(built.rglob("*.so"))
    assert any("hiredis" in str(library) for library in libraries)
    assert {library.read_bytes()[18:20] for library in libraries} == {MACHINES[architecture]}


def test_every_module_is_compiled_and_never_checked(asset: Path) -> None:
    """Bit 0 of the flags says that the hash stands for the source, bit 1 that it is to be checked."""
    for module in asset.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(module)))
        assert compiled.exists(), module
        header = compiled.read_bytes()[:8]
        assert header[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(header[4:8], "little") == 0b01, module


def test_it_carries_its_functions_and_nothing_of_this_machine(asset: Path, package: Package) -> None:
    for part in PARTS:
        if part.package == package.name:
            module = part.handler.rpartition(".")[0]
            assert (asset / f"{module.replace('.', '/')}.py").exists(), part.name
    names = {path.name for path in asset.rglob("*")}
    assert names.isdisjoint({"bin", "tests", "RECORD", "INSTALLER", "boto3", "botocore", ".lock"})
    machine = str(ROOT).encode()
    assert not [path for path in _files(asset) if machine in path.read_bytes()]


def test_what_answers_callers_carries_nothing_that_calls_out(tmp_path: Path) -> None:
    asset = _built(tmp_path, HOT, "arm64")
    assert {path.name for path in (asset / "functions").iterdir()} == {
        "__init__.py",
        "__pycache__",
        "invalidator",
        "resolver",
    }
    assert not {path.name for path in asset.iterdir()} & {"requests", "urllib3", "certifi", "charset_normalizer"}
    assert not {path.name for path in (asset / "cir").iterdir()} & {"http", "genesys", "crm", "contacts", "sync"}


def test_the_lean_package_leaves_out_only_what_none_of_its_functions_imports(tmp_path: Path) -> None:
    asset = _built(tmp_path, LEAN, "arm64")
    left_out = {"cir.duplicates", "functions.duplicates"}
    assert not (asset / "cir" / "duplicates").exists()
    assert not (asset / "functions" / "duplicates.py").exists()
    graph = grimp.build_graph("cir", "functions")
    users = graph.find_downstream_modules("cir.duplicates", as_package=True)
    assert users | graph.find_downstream_modules("functions.duplicates") <= left_out
    assert [part.name for part in PARTS if part.package == "analytic"] == ["duplicates"]


def test_licences_go_along(asset: Path) -> None:
    for metadata in asset.glob("*.dist-info"):
        assert list((metadata / "licenses").rglob("*")), metadata.name


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="its native code is for another machine")
def test_a_function_starts_from_it_alone(tmp_path: Path) -> None:
    """With no path of this checkout: whatever it needs, but for the AWS SDK of the runtime, is in there."""
    built = _built(tmp_path, HOT, "x86_64")
    result = subprocess.run(
        [sys.executable, "-I", "-c", START, str(built)],
        env={
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "CIR_ENVIRONMENT": "dev",
            "IDENTIFIERS_TABLE": "i",
            "CONTACTS_TABLE": "c",
            "LEDGER_TABLE": "l",
            "CACHE_URL": "redis://127.0.0.1:9",
            "CACHE_HASH_KEY": "00",
            "DEFAULT_QUEUE_ID": "q",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(str(built))


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="its native code is for another machine")
def test_the_sync_plane_knows_national_ids_from_it_alone(tmp_path: Path) -> None:
    built = _built(tmp_path, LEAN, "x86_64")
    result = subprocess.run(
        [sys.executable, "-I", "-c", NATIONAL_IDS, str(built)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split("\n") == ["resident id (CN)", "NRIC (MY)", ""]


def test_the_package_for_the_night_fits_into_lambda(tmp_path: Path) -> None:
    build(tmp_path, ANALYTIC, uv=UV, architecture="arm64")
    assert size_mb(tmp_path) < 250 * 1.048576  # MiB
    assert (tmp_path / "functions" / "duplicates.py").exists()
    machines = {library.read_bytes()[18:20] for library in tmp_path.rglob("*.so")}
    assert machines == {MACHINES["arm64"]}


def test_it_says_in_one_sentence_when_it_outgrows_its_budget(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=r"^The package is \d+\.\d MB unpacked, over its budget of 1 MB\.$"):
        build(tmp_path, replace(LEAN, budget_mb=1.0), uv=UV, architecture="arm64")


def test_a_pattern_that_fits_nothing_is_named(tmp_path: Path) -> None:
    wrong = replace(HOT, only=(*HOT.only, "cir/resolver"))
    with pytest.raises(PackagingError, match=r"^The package is to carry cir/resolver, which neither lambdas/ nor "):
        build(tmp_path, wrong, uv=UV, architecture="arm64")


def test_a_dependency_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    tampered = tmp_path / "requirements.txt"
    tampered.write_text("idna==3.20 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(PackagingError, match=r"^uv could not install requirements\.txt: "):
        build(tmp_path / "asset", replace(LEAN, requirements=tampered), uv=UV, architecture="arm64")
