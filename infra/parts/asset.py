"""Packages as assets of the CDK, built on this machine when an app is synthesized."""

import sys
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from infra.packaging import LEAN, SOURCES, ArchitectureName, Package, PackagingError, build, find_uv

RUNTIME = lambda_.Runtime.PYTHON_3_13


def lambda_architecture(name: ArchitectureName) -> lambda_.Architecture:
    """The library's object for it."""
    return lambda_.Architecture.ARM_64 if name == "arm64" else lambda_.Architecture.X86_64


def code(architecture: ArchitectureName, package: Package = LEAN) -> lambda_.Code:
    """The asset. One object belongs to one stack; all of one package are the same files, built and uploaded once."""
    uv = find_uv()
    return lambda_.Code.from_asset(
        str(SOURCES),
        asset_hash_type=cdk.AssetHashType.OUTPUT,
        bundling=cdk.BundlingOptions(
            # Part of the key under which the CDK remembers what it has bundled from these sources.
            image=cdk.DockerImage.from_registry(package.name),
            local=_Bundling(package, uv=uv, architecture=architecture),
        ),
    )


@jsii.implements(cdk.ILocalBundling)
class _Bundling:
    def __init__(self, package: Package, *, uv: Path, architecture: ArchitectureName) -> None:
        self._package = package
        self._uv = uv
        self._architecture = architecture

    def try_bundle(self, output_dir: str, *, image: object = None, **_options: object) -> bool:  # noqa: ARG002
        try:
            build(Path(output_dir), self._package, uv=self._uv, architecture=self._architecture)
        except PackagingError as error:
            sys.exit(str(error))  # an exception would come out of the other language's runtime as a page of its stack
        return True
