"""Shopify's own published schemas of the Admin API, out of its npm package, which is packed and never installed."""

import gzip
import json
import os
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from graphql import GraphQLSchema, build_client_schema

VERSIONS = ("2026-10", "2026-07", "2026-04", "2026-01")
PACKAGE = "@shopify/dev-mcp@1.16.0"
ARCHIVE = "shopify-dev-mcp-1.16.0.tgz"
FOLDER = os.environ.get("SUPPORT_BOT_SHOPIFY", "")  # the folder in which `npm pack` was run
FETCH_SECONDS = 120


def archive(config: pytest.Config) -> Path:
    """Return where the package is, fetched when it is not there yet; skip the test where that cannot be done."""
    if FOLDER:
        found = Path(FOLDER) / ARCHIVE
        if not found.is_file():
            pytest.skip(f"needs {ARCHIVE} in SUPPORT_BOT_SHOPIFY: a folder in which `npm pack {PACKAGE}` was run")
        return found
    assert config.cache is not None
    kept = config.cache.mkdir("shopify") / ARCHIVE
    if not kept.is_file():
        _fetch(kept)
    return kept


@cache
def schema(packed: Path, version: str) -> GraphQLSchema:
    """Build the schema of a version; its own check would refuse it for deprecated fields of interfaces."""
    with tarfile.open(packed) as files:
        member = files.extractfile(f"package/dist/data/admin_{version}.json.gz")
        assert member is not None
        found = json.loads(gzip.decompress(member.read()))
    return build_client_schema(found.get("data", found), assume_valid=True)


def _fetch(kept: Path) -> None:
    if not (npm := shutil.which("npm")):
        pytest.skip(f"needs npm, or SUPPORT_BOT_SHOPIFY: a folder in which `npm pack {PACKAGE}` was run")
    with TemporaryDirectory(dir=kept.parent) as folder:
        command = [npm, "pack", "--silent", "--pack-destination", folder, PACKAGE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FETCH_SECONDS)  # noqa: S603 - our own words
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"npm could not fetch {PACKAGE}: {error}")
        (Path(folder) / ARCHIVE).replace(kept)  # at once: another worker may be at it too
