#!/usr/bin/env python3
"""Measure our thumbnails and our peers', interleaved: ``run.py [--rounds N] [--case TEXT] [--peer NAME] [--no-goals] [--no-flow] [--readme]``.

Whole processes are measured: CPU time is user and system time, the median of the rounds; memory is the largest resident set. Writes
target/bench/media.json, and what a file takes in the flow to target/bench/flow.json, and prints both as tables. Exit 1 when something failed to run. README.md says what the numbers mean.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

import files
import report
from cases import CASES, OTHERS, PEERS, SIDES, TOOLS, Case, Other
from pictures import FOLDER, make
from quality import Judge

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "target" / "bench" / "thumbnails"
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
COMMANDS = {
    "ours": [str(PROGRAMS / "vestibule-thumbnail")],
    "libvips": [sys.executable, str(HERE / "peers" / "vips_thumbnail.py")],
    "sharp": [shutil.which("node") or "node", str(HERE / "peers" / "sharp_thumbnail.mjs")],
}
DEADLINE_SECONDS = 120
# What is also sent through the inspect function's child, and how often that is started for nothing.
IN_THE_FLOW = ("jpeg-12mp", "jpeg-48mp", "png-4k-screenshot", "webp-12mp")
STARTS = 15


class Failed(Exception):
    """A command that did not do what it should."""


@dataclass
class Cost:
    """What one process took."""

    cpu_ms: float
    rss_mb: float


def cost(command: list[str], *, may_fail: bool = False) -> Cost:
    """Run a command and say what it took. vestibule-measure has the reason why this is not asked of the operating system here."""
    run = subprocess.run(
        [str(PROGRAMS / "vestibule-measure"), *command],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        # Not what pyvips's own library has put into the environment behind Python's back: libvips of Debian would look there for its parts.
        env=dict(os.environ),
    )
    said = run.stderr.strip().splitlines() or ["no word"]
    if run.returncode != 0:
        raise Failed(said[-1])
    microseconds, kib, ended = run.stdout.split(maxsplit=2)
    if ended.strip() != "0" and not may_fail:
        raise Failed(next((line for line in reversed(said) if "error" in line.lower()), said[-1]).strip())
    return Cost(int(microseconds) / 1000, int(kib) * 1024 / 1e6)


def together(costs: list[Cost]) -> Cost:
    """One for several runs."""
    return Cost(statistics.median(each.cpu_ms for each in costs), max(each.rss_mb for each in costs))


def usual(costs: list[Cost]) -> Cost:
    """One for several starts: what is taken off must not be more than usual."""
    return Cost(statistics.median(each.cpu_ms for each in costs), statistics.median(each.rss_mb for each in costs))


def thumbnail(folder: Path, side: int, of: tuple[int, int]) -> Path:
    """The one thumbnail of a side, of which the size is right."""
    found = list(folder.glob(f"{side}.*"))
    if len(found) != 1:
        raise Failed(f"{len(found)} thumbnails of {side} pixels")
    with Image.open(found[0]) as made:
        made.load()
        size = made.size
    scale = min(1, side / max(of))
    if max(size) != round(max(of) * scale) or any(abs(have - part * scale) > 1 for have, part in zip(size, of, strict=True)):
        raise Failed(f"a thumbnail of {size[0]} × {size[1]} of a picture of {of[0]} × {of[1]}")
    return found[0]


class Bench:
    """One run."""

    def __init__(self, rounds: int, peers: list[str]) -> None:
        """Of so many rounds, with these peers."""
        self.rounds = rounds
        self.who = ["ours", *peers]
        self.entries: list[dict] = []
        self.failures: list[str] = []

    def measure(self, case: Case) -> None:
        """All that is measured of one picture. Everything is run in every round, so that a busy minute falls on all alike."""
        path = FOLDER / case.file
        path.read_bytes()  # so that it is in memory for the first as for the last
        starts: dict[str, list[Cost]] = {who: [] for who in self.who}
        runs: dict[tuple[str, str], list[Cost]] = {(sides, who): [] for sides in SIDES for who in self.who}
        errors: dict[tuple[str, str], str] = {}
        for _ in range(self.rounds):
            for who in self.who:
                starts[who].append(cost(COMMANDS[who]))
            for sides, who in runs:
                if (sides, who) in errors:
                    continue
                folder = OUT / who / f"{case.name} {sides}"
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                try:
                    took = cost([*COMMANDS[who], str(path), str(folder), *map(str, SIDES[sides])])
                    runs[sides, who].append(took)
                except (Failed, subprocess.TimeoutExpired) as error:
                    errors[sides, who] = str(error)
        judge = Judge(path)
        for sides in SIDES:
            found = {}
            said = {who: errors[sides, who] for who in self.who if (sides, who) in errors}
            for who in self.who:
                try:
                    if who not in said:
                        start, took = usual(starts[who]), together(runs[sides, who])
                        found[who] = self._found(case, who, sides, start, took, judge)
                except (Failed, OSError) as error:
                    said[who] = str(error)
                if (who in said) != (who in case.cannot):
                    self.failures.append(f"{case.name} {sides}: {who}: {said.get(who, 'can do what it could not')}")
            for peer in self.who[1:]:
                self.entries.append(self._entry(f"{case.name} {sides}", peer, found, said, case.cannot))

    def _found(self, case: Case, who: str, sides: str, start: Cost, took: Cost, judge: Judge) -> dict:
        found = {
            "cpuMs": round(took.cpu_ms, 2),
            "rssMb": round(took.rss_mb, 1),
            "startMs": round(start.cpu_ms, 2),
            "startMb": round(start.rss_mb, 1),
        }
        for side in SIDES[sides]:
            made = thumbnail(OUT / who / f"{case.name} {sides}", side, judge.size)
            suffix = "" if side == min(SIDES[sides]) else str(side)
            psnr, ssim = (None, None) if case.unjudged else judge.judge(made)
            # JSON knows no infinity.
            found["psnr" + suffix] = None if psnr is None else round(min(psnr, 100), 2)
            found["ssim" + suffix] = None if ssim is None else round(ssim, 4)
            found["bytes" + suffix] = made.stat().st_size
        return found

    def _entry(self, name: str, peer: str, found: dict, errors: dict, cannot: dict) -> dict:
        made = entry(name, peer, self.rounds, found.get("ours"), found.get(peer))
        said = {who: cannot.get(who, errors[who]) for who in ("ours", peer) if who in errors}
        return made | ({"error": said} if said else {})


def flow(rounds: int) -> list[dict]:
    """What a child of the inspect function takes for a file; for a text of one letter that is what its start takes."""
    letter = OUT / "letter.txt"
    letter.write_bytes(b"x")
    files = [("start (a text of one letter)", letter, "text/plain")]
    types = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
    files += [(case.name, FOLDER / case.file, types[case.file.rsplit(".", 1)[1]]) for case in CASES if case.name in IN_THE_FLOW]
    found = []
    for name, path, content_type in files:
        costs = []
        for _ in range(max(rounds, STARTS if path == letter else 0)):
            command = [str(PROGRAMS / "vestibule-flow"), str(PROGRAMS / "vestibule-inspect"), content_type, str(path)]
            run = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
            if run.returncode != 0:
                raise Failed(run.stderr.strip())
            microseconds, kib, verdict = run.stdout.split()
            if verdict != "accepted":
                raise Failed(f"{name} in the flow: {verdict}")
            costs.append(Cost(int(microseconds) / 1000, int(kib) * 1024 / 1e6))
        took = together(costs)
        found.append({"file": name, "cpuMs": round(took.cpu_ms, 2), "rssMb": round(took.rss_mb, 1)})
    return found


def other(case: Other, rounds: int) -> list[dict]:
    """What a file beyond the old pictures takes, beside each tool for its kind."""
    path = files.FOLDER / case.file
    path.read_bytes()  # so that it is in memory for the first as for the last
    who = ["ours", *case.peers]
    starts: dict[str, list[Cost]] = {one: [] for one in who}
    runs: dict[str, list[Cost]] = {one: [] for one in who}
    for _ in range(rounds):
        for one in who:
            folder = OUT / one / case.name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            program, nothing = TOOLS.get(one) or (
                [str(PROGRAMS / "vestibule-look"), "FILE", "OUT"],
                [str(PROGRAMS / "vestibule-look")],
            )
            starts[one].append(cost(nothing, may_fail=True))
            runs[one].append(cost([part.replace("FILE", str(path)).replace("OUT", str(folder)) for part in program]))
            largest(folder)
    found = {}
    for one in who:
        start, took = usual(starts[one]), together(runs[one])
        found[one] = {
            "cpuMs": round(took.cpu_ms, 2),
            "rssMb": round(took.rss_mb, 1),
            "startMs": round(start.cpu_ms, 2),
            "startMb": round(start.rss_mb, 1),
            "bytes1280": largest(OUT / one / case.name).stat().st_size,
        }
    return [entry(case.name, peer, rounds, found["ours"], found[peer]) for peer in case.peers]


def largest(folder: Path) -> Path:
    """The picture whose longer side has 1280 pixels."""
    made = list(folder.glob("1280*"))
    if len(made) != 1:
        raise Failed(f"{len(made)} pictures in {folder.name}")
    with Image.open(made[0]) as picture:
        picture.load()
        if abs(max(picture.size) - 1280) > 1:
            raise Failed(f"a picture of {picture.size} pixels in {folder.name}")
    return made[0]


def entry(name: str, peer: str, rounds: int, ours: dict | None, theirs: dict | None) -> dict:
    """One line of media.json."""
    both = ours and theirs
    return {
        "case": name,
        "peer": peer,
        "cpuRatio": round(ours["cpuMs"] / theirs["cpuMs"], 3) if both else None,
        "netCpuRatio": net(ours, theirs, "cpuMs", "startMs") if both else None,
        "rssRatio": round(ours["rssMb"] / theirs["rssMb"], 3) if both else None,
        "netRssRatio": net(ours, theirs, "rssMb", "startMb") if both else None,
        "rounds": rounds,
        "ours": ours,
        "theirs": theirs,
    }


def net(ours: dict, theirs: dict, what: str, start: str) -> float | None:
    """The ratio of what is more than starting; none where a peer takes no more than that."""
    more = theirs[what] - theirs[start]
    return round((ours[what] - ours[start]) / more, 3) if more > 0 else None


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description="Measure our thumbnails beside our peers'.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (3)")
    parser.add_argument("--case", default="", help="only cases with this text in their names")
    parser.add_argument("--peer", choices=PEERS, help="only this peer")
    parser.add_argument("--goals", action=argparse.BooleanOptionalAction, default=True, help="say which goals are reached")
    parser.add_argument(
        "--flow", action=argparse.BooleanOptionalAction, default=True, help="also what the function's child takes"
    )
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    asked = parser.parse_args()
    if asked.readme and (asked.case or asked.peer):
        parser.error("README.md shows all cases and peers")
    cases = [case for case in CASES if asked.case in case.name]
    others = [] if asked.peer else [case for case in OTHERS if asked.case in case.name]
    if not cases and not others:
        parser.error(f"no case has {asked.case} in its name: {', '.join(case.name for case in (*CASES, *OTHERS))}")

    photos = make()
    if others:
        files.make(photos)
    bench = Bench(asked.rounds, [asked.peer] if asked.peer else list(PEERS))
    for case in cases:
        print(f"measuring {case.name}", file=sys.stderr)
        try:
            bench.measure(case)
        except Failed as error:
            raise SystemExit(f"something does not even start: {error}") from error
    beside: list[dict] = []
    for case in others:
        print(f"measuring {case.name}", file=sys.stderr)
        try:
            beside += other(case, asked.rounds)
        except (Failed, subprocess.TimeoutExpired) as error:
            bench.failures.append(f"{case.name}: {error}")
    (ROOT / "target" / "bench" / "media.json").write_text(json.dumps(bench.entries + beside, indent=1) + "\n")
    if bench.entries:
        print(report.table(bench.entries))
    if beside:
        print(report.others(beside))
    if asked.flow:
        children = flow(asked.rounds)
        (ROOT / "target" / "bench" / "flow.json").write_text(json.dumps(children, indent=1) + "\n")
        print(report.flow(children))
    if not photos.real:
        print(report.NO_PHOTOS)
    if asked.goals:
        print(report.goals(bench.entries, beside))
    if asked.readme and not bench.failures:
        report.write_readme(bench.entries, beside, photos.real)
    for failure in bench.failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
