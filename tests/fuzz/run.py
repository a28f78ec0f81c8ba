#!/usr/bin/env python3
"""Run the fuzz targets one after the other, each for its share of the time, from seeds that are made of the fixtures.

    run.py [--seconds N] [TARGET...]

What is found on the way is kept below $VESTIBULE_CACHE/fuzz, the smallest inputs that reach the same, and the next run begins with it.
Prints a line for each target; exit 1 where one found something, which is then in target/fuzz/artifacts.
"""

import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIXTURES = ROOT / "fixtures"
WORK = ROOT / "target" / "fuzz"
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "fuzz"
KEPT = Path(os.environ.get("VESTIBULE_CACHE") or Path.home() / ".cache" / "vestibule") / "fuzz"
# Longest seed, in bytes: an input that takes long teaches little.
MAX_SEED = 32 * 1024
# Longest time for one input, in seconds, and memory, in MB.
TIMEOUT, MEMORY = 20, 2048
# The decoder of AV1 loses some bytes with each picture. A process looks at one file and ends, so neither libFuzzer nor the sanitizer asks.
LEAKS = "detect_leaks=0"


def files(folder: Path, pattern: str) -> Iterator[bytes]:
    """What is in these files, as far as they are short."""
    for path in sorted(folder.rglob(pattern)):
        if path.stat().st_size <= MAX_SEED:
            yield path.read_bytes()


def jpegs() -> Iterator[bytes]:
    """The decoder's own test files."""
    return files(ROOT / "common" / "jpeg-scaled" / "tests" / "corpus" / "files", "*.jpg")


def webps() -> Iterator[bytes]:
    """The decoder's own test files."""
    return files(ROOT / "common" / "webp-scaled" / "tests" / "files", "*.webp")


def uploads() -> Iterator[bytes]:
    """The fixtures as src/lib.rs reads them: whole, and with zeros in their middle, which is read by ranges."""
    yield upload("image/bmp", 0, bitmap())
    for fixture in json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8")):
        path = FIXTURES / "files" / fixture["file"]
        if path.stat().st_size <= MAX_SEED:
            for pieces in (0, 3):
                yield upload(fixture["declaredType"], pieces, path.read_bytes())


def upload(declared: str, pieces: int, content: bytes) -> bytes:
    """In the form of src/lib.rs."""
    return bytes([len(declared)]) + declared.encode() + bytes([pieces]) + content


def bitmap() -> bytes:
    """Eight by eight pixels of 24 bits: the one among the fixtures is too large."""
    pixels = bytes(range(8 * 8 * 3))
    sizes = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 24, 0, len(pixels), 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 14 + len(sizes) + len(pixels), 0, 0, 14 + len(sizes)) + sizes + pixels


def without_a_seed() -> list[str]:
    """The types of pictures of which every fixture is too long, or has more pixels than the probe decodes when it is fuzzed."""
    said = (HERE / "fuzz_targets" / "probe.rs").read_text(encoding="utf-8")
    most = 1 << int(re.search(r"max_pixels: 1 << (\d+)", said)[1])
    fits = {"image/bmp": True}
    for fixture in json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8")):
        declared, expect = fixture["declaredType"], fixture["expect"]
        if declared.startswith("image/") and expect["state"] == "ready":
            size = (FIXTURES / "files" / fixture["file"]).stat().st_size
            small = size <= MAX_SEED and expect["width"] * expect["height"] <= most
            fits[declared] = fits.get(declared, False) or small
    return sorted(declared for declared, small in fits.items() if not small)


def events() -> Iterator[bytes]:
    """Recorded and documented events, without the spaces."""
    for folder in ("recorded", "shaped"):
        for content in files(FIXTURES / "events" / folder, "*.json"):
            yield json.dumps(json.loads(content), separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Target:
    """A target, and what it begins with."""

    seeds: Callable[[], Iterator[bytes]]
    max_length: int


TARGETS = {
    "events": Target(events, 16 * 1024),
    "jpeg": Target(jpegs, 8 * 1024),
    "probe": Target(uploads, MAX_SEED + 256),
    "types": Target(uploads, MAX_SEED + 256),
    "webp": Target(webps, 8 * 1024),
}


def cargo_fuzz(*arguments: str) -> subprocess.CompletedProcess:
    """Run cargo-fuzz. Coverage and the sanitizer are not stable in rustc; this lets any rustc do it."""
    command = [shutil.which("cargo") or "cargo", "fuzz", *arguments]
    return subprocess.run(
        command,
        cwd=HERE,
        env=os.environ | {"RUSTC_BOOTSTRAP": "1", "ASAN_OPTIONS": LEAKS},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def at(name: str) -> list[str]:
    """Where cargo-fuzz finds and builds the target. By the profile of Cargo.toml, and not with all assertions everywhere."""
    return ["--release", "--fuzz-dir", str(HERE), "--target-dir", str(BUILT), name]


def fuzz(name: str, target: Target, seconds: int) -> bool:
    """Run one target and say how it went."""
    kept, seeds, artifacts = KEPT / name, WORK / "seeds" / name, WORK / "artifacts" / name
    for folder in (kept, seeds, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(target.seeds()):
        (seeds / f"{place:04}").write_bytes(seed)
    options = [
        f"-artifact_prefix={artifacts}/",
        f"-max_len={target.max_length}",
        f"-timeout={TIMEOUT}",
        f"-rss_limit_mb={MEMORY}",
        f"-{LEAKS}",
    ]
    ended = cargo_fuzz(
        "run", *at(name), str(kept), str(seeds), "--", *options, f"-max_total_time={seconds}", "-print_final_stats=1"
    )
    said = ended.stderr
    (WORK / f"{name}.log").write_text(said, encoding="utf-8")
    runs = re.findall(r"^stat::number_of_executed_units: *(\d+)", said, re.MULTILINE)
    covered = re.findall(r"cov: (\d+)", said)
    if ended.returncode != 0:
        print(f"{name}: FOUND something after {runs[-1] if runs else 'no'} inputs\n{said[-3000:]}", flush=True)
        return False
    # Only what reaches something that nothing smaller reaches is kept.
    smaller = KEPT / f"{name}.new"
    shutil.rmtree(smaller, ignore_errors=True)
    smaller.mkdir()
    merged = cargo_fuzz("run", *at(name), str(smaller), str(kept), str(seeds), "--", *options, "-merge=1")
    if merged.returncode != 0:
        print(f"{name}: FOUND something in what is kept\n{merged.stderr[-3000:]}", flush=True)
        return False
    shutil.rmtree(kept)
    smaller.rename(kept)
    print(f"{name}: {runs[-1]} inputs in {seconds} s, nothing found, {covered[-1]} places reached", flush=True)
    return True


def main() -> int:
    """Run the targets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=300, help="for all of them together")
    parser.add_argument("targets", nargs="*", metavar="TARGET", choices=[[], *TARGETS])
    arguments = parser.parse_args()
    names = arguments.targets or list(TARGETS)
    if missing := without_a_seed():
        sys.exit(f"no fixture is small enough to begin with: {', '.join(missing)}")
    # The versions that the repository is built with. Cargo leaves out what is not needed, and adds libFuzzer.
    shutil.copy(ROOT / "Cargo.lock", HERE / "Cargo.lock")
    print("building the fuzz targets (minutes, once)", flush=True)
    built = cargo_fuzz("build", *at(names[0])[:-1])
    if built.returncode != 0:
        sys.exit(f"the fuzz targets could not be built:\n{built.stderr[-3000:]}")
    well = [fuzz(name, TARGETS[name], max(1, arguments.seconds // len(names))) for name in names]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
