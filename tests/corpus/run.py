#!/usr/bin/env python3
"""Examine strangers' files with `vestibule inspect` and compare what becomes of each with ``verdicts.tsv``.

    run.py --vestibule PROGRAM [--sample] [--update] [--jobs N]

Prints every difference and, last, ``files N, accepted A, refused R, crashes 0, over memory 0, over time 0``. Crashes are those of
`vestibule inspect` itself (its own line of totals counts those of its children under that name); over memory and over time are its children's. Exit 1 where one of these is not 0, or there is a difference.
--sample takes one file in SAMPLE_OF, and all fixtures. --update writes verdicts.tsv anew. README.md says what is in it.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import made
from fetch import Failed, fetch, sources

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "fixtures" / "files"
VERDICTS = HERE / "verdicts.tsv"
HEADER = "file\tsha256\tverdict\tfound\n"
SAMPLE_OF = 16
# How a verdict begins that is none: the file was not examined.
FAILED = "FAILED"
# How a child ends that gives no answer.
ENDS = ("panic", "crash", "memory", "cpu", "deadline", "rules")


@dataclass(frozen=True)
class Row:
    """What became of a file."""

    sha256: str
    verdict: str
    found: str

    def __str__(self) -> str:
        """As in verdicts.tsv."""
        return f"{self.sha256}\t{self.verdict}\t{self.found}"


def in_sample(name: str) -> bool:
    """Whether the file is in the sample: by its name alone, so that others coming and going change nothing."""
    return name.startswith("fixtures/") or zlib.crc32(name.encode()) % SAMPLE_OF == 0


def committed() -> dict[str, Row]:
    """The verdicts as they are committed."""
    if not VERDICTS.exists():
        return {}
    rows = (line.split("\t") for line in VERDICTS.read_text(encoding="utf-8").splitlines()[1:])
    return {name: Row(*rest) for name, *rest in rows}


def collected(work: Path, wanted: set[str] | None) -> dict[str, Path]:
    """The files by name, in order; of packages of which nothing is wanted, none is fetched."""
    places = {"fixtures": FIXTURES, "made": work}
    for source in sources():
        if wanted is None or any(name.startswith(f"{source.name}/") for name in wanted):
            places[source.name] = fetch(source)
    for name, content in made.make(FIXTURES):
        path = work / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    found = {
        f"{prefix}/{path.relative_to(place).as_posix()}": path
        for prefix, place in places.items()
        for path in place.rglob("*")
        if path.is_file()
    }
    return {name: found[name] for name in sorted(found) if wanted is None or in_sample(name)}


def examined(program: Path, files: dict[str, Path], jobs: int, work: Path) -> tuple[dict[str, dict], int]:
    """What is told of the files, and how the program ended. It walks one folder with all of them, linked where they can be."""
    links = work / "links"
    for name, path in files.items():
        target = links / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.stat().st_dev == links.stat().st_dev:
            target.hardlink_to(path)
        else:
            target.write_bytes(path.read_bytes())
    command = [str(program), "inspect", "--json", "--jobs", str(jobs), str(links)]
    told = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
        for line in process.stdout:
            one = json.loads(line)
            told[Path(one["file"]).relative_to(links).as_posix()] = one
        said = process.stderr.read()
    if process.returncode not in (0, 1, 3):
        print(f"{program.name} ended with {process.returncode}: {said[-2000:]}")
    return told, process.returncode


def row(path: Path, told: dict) -> Row:
    """What is kept of what is told."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    match told["verdict"]:
        case "accepted":
            return Row(sha256, "accepted", told["facts"]["type"] + (" pictured" if told["thumbnails"] else ""))
        case "rejected":
            return Row(sha256, told["code"], told.get("ended", "-"))
        case _:
            return Row(sha256, FAILED, told["error"])


def differences(found: dict[str, Row], expected: dict[str, Row]) -> list[str]:
    """A line for each file that is not as expected."""
    names = sorted(found.keys() | expected.keys())
    return [
        f"{name}\n    was  {expected.get(name, 'not there')}\n    is   {found.get(name, 'not there')}"
        for name in names
        if found.get(name) != expected.get(name)
    ]


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vestibule", type=Path, required=True)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.sample and arguments.update:
        parser.error("a sample says nothing of the other files: --update takes them all")
    expected = committed()
    if arguments.sample:
        expected = {name: of for name, of in expected.items() if in_sample(name)}
    with tempfile.TemporaryDirectory(prefix="vestibule-corpus-") as folder:
        work = Path(folder)
        (work / "made").mkdir()
        try:
            files = collected(work / "made", set(expected) if arguments.sample else None)
        except Failed as error:
            sys.exit(f"corpus: {error}")
        told, ended = examined(arguments.vestibule.resolve(), files, arguments.jobs, work)
        found = {name: row(path, told[name]) for name, path in files.items() if name in told}
    missing = [name for name in files if name not in told]
    crashes = 0 if ended in (0, 1, 3) and not missing else 1
    if missing:
        print(f"nothing is told of {len(missing)} files; the first is {missing[0]}")
        expected = {name: of for name, of in expected.items() if name not in missing}
    if arguments.update and not crashes:
        VERDICTS.write_text(HEADER + "".join(f"{name}\t{of}\n" for name, of in found.items()), encoding="utf-8")
        expected = found
    wrong = differences(found, expected)
    for name, of in found.items():
        if of.found in ENDS:
            print(f"{of.found}: {name}: {told[name].get('detail', '')}")
    print("".join(f"{one}\n" for one in wrong), end="")
    ends = Counter(of.found for of in found.values())
    verdicts = Counter(of.verdict for of in found.values())
    accepted, failed = verdicts["accepted"], verdicts[FAILED]
    refused, memory, time = len(found) - accepted - failed, ends["memory"], ends["cpu"] + ends["deadline"]
    print(
        f"files {len(found)}, accepted {accepted}, refused {refused}, crashes {crashes}, over memory {memory}, over time {time}"
    )
    return 1 if wrong or crashes or failed or memory or time else 0


if __name__ == "__main__":
    sys.exit(main())
