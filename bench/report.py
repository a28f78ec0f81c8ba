"""What was measured, as tables: for the terminal, against the goals, and for README.md."""

import os
import platform
import re
import shutil
import statistics
import subprocess
from pathlib import Path

import pyvips

from cases import CASES, GOALS, OTHER_GOALS, OTHER_MEMORY, OTHERS, PEERS, QUALITY_OF, SIDES, SLACK

ROOT = Path(__file__).resolve().parents[1]
NO_PHOTOS = "The photos were not there (no apt-get): all pictures were cut from the repository's own photo, also the mosaics."
BEGIN, END = "<!-- bench: made by make bench ARGS=--readme -->\n", "<!-- end of bench -->"
# By the first word of a file in the flow.
FLOW_GOALS = {"start": [("cpuMs", 5, "ms")], "jpeg-48mp": [("rssMb", 64, "MB")]}
ABOUT = (
    "Ratios are ours / theirs, of whole processes; in brackets what is left when both are taken without their start: Python's and Node's "
    "is a good part of theirs."
)


def by_case(entries: list[dict]) -> dict[str, dict[str, dict]]:
    """Case → peer → entry."""
    found: dict[str, dict[str, dict]] = {}
    for entry in entries:
        found.setdefault(entry["case"], {})[entry["peer"]] = entry
    return found


def _ratio(entry: dict | None, whole: str, net: str) -> str:
    if entry is None or entry[whole] is None:
        return "–"
    return f"{_number(entry[whole])} ({_number(entry[net])})"


def _number(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}"


def cpu(entry: dict | None) -> str:
    """Of one peer."""
    return _ratio(entry, "cpuRatio", "netCpuRatio")


def memory(entry: dict | None) -> str:
    """Of one peer."""
    return _ratio(entry, "rssRatio", "netRssRatio")


def each(peers: dict[str, dict], key: str, form: str) -> str:
    """A number of ours and of each peer."""
    first = next(iter(peers.values()))
    values = [first["ours"], *(entry["theirs"] for entry in peers.values())]
    return " / ".join("–" if value is None or value.get(key) is None else format(value[key], form) for value in values)


def table(entries: list[dict]) -> str:
    """For the terminal."""
    cases = by_case(entries)
    names = list(next(iter(cases.values())))
    order = " / ".join(["ours", *names])
    rows = [
        [
            "case",
            *(f"CPU : {name}" for name in names),
            *(f"memory : {name}" for name in names),
            "CPU ms",
            "MB",
            "PSNR dB",
            "SSIM",
            "PSNR 1280",
            "kB",
        ]
    ]
    errors = []
    for case, peers in cases.items():
        rows.append(
            [
                case,
                *(cpu(peers[name]) for name in names),
                *(memory(peers[name]) for name in names),
                each(peers, "cpuMs", ".0f"),
                each(peers, "rssMb", ".0f"),
                each(peers, "psnr", ".1f"),
                each(peers, "ssim", ".3f"),
                each(peers, "psnr1280", ".1f"),
                " / ".join(_kb(value) for value in [_any(peers)["ours"], *(peer["theirs"] for peer in peers.values())]),
            ]
        )
        errors += [f"{case}: {who}: {why}" for peer in peers.values() for who, why in peer.get("error", {}).items()]
    started = [each(_started(entries), key, ".1f") for key in ("startMs", "startMb")]
    return "\n".join(
        [
            *_aligned(rows),
            "",
            f"Of several numbers the order is {order}. {ABOUT}",
            f"Starting alone takes {started[0]} ms and {started[1]} MB.",
            *dict.fromkeys(errors),
        ]
    )


def others(entries: list[dict]) -> str:
    """What is not one of the old pictures, beside the tools for its kind."""
    rows = [["beside tools of its kind", "peer", "CPU", "memory", "CPU ms", "MB", "kB"]]
    for entry in entries:
        ours, theirs = entry["ours"], entry["theirs"]
        both = [" / ".join(f"{side[key]:.0f}" for side in (ours, theirs)) for key in ("cpuMs", "rssMb")]
        kilobytes = " / ".join(f"{side['bytes1280'] / 1000:.0f}" for side in (ours, theirs))
        rows.append([entry["case"], entry["peer"], cpu(entry), memory(entry), *both, kilobytes])
    return "\n".join(["", *_aligned(rows)])


def _started(entries: list[dict]) -> dict[str, dict]:
    """The median start over all cases, in the form of a case."""
    peers = dict.fromkeys(entry["peer"] for entry in entries)

    def median(values: list[dict | None]) -> dict:
        known = [value for value in values if value]
        return {key: statistics.median(value[key] for value in known) for key in ("startMs", "startMb")} if known else {}

    ours = median([entry["ours"] for entry in entries])
    return {
        peer: {"ours": ours, "theirs": median([entry["theirs"] for entry in entries if entry["peer"] == peer])}
        for peer in peers
    }


def _any(found: dict) -> dict:
    return next(iter(found.values()))


def _kb(value: dict | None) -> str:
    return "–" if value is None else f"{value['bytes'] / 1000:.0f}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def flow(children: list[dict]) -> str:
    """What a child of the inspect function takes."""
    rows = [["in the flow: the child of inspect", "CPU ms", "MB"]]
    rows += [[child["file"], f"{child['cpuMs']:.1f}", f"{child['rssMb']:.1f}"] for child in children]
    lines = ["", *_aligned(rows)]
    for child in children:
        for key, most, what in FLOW_GOALS.get(child["file"].split(" ")[0], []):
            lines.append(
                f"  {'reached' if child[key] <= most else 'not reached'}: {child['file']}: at most {most} {what}: {child[key]}"
            )
    return "\n".join(lines)


def goals(entries: list[dict], beside: list[dict]) -> str:
    """Which goals are reached, and by how much."""
    cases = by_case(entries)
    lines = ["", "Goals, of whole processes:"]
    for goal in GOALS:
        for peer, most in goal.most.items():
            found = {
                f"{name} {sides}": cases[f"{name} {sides}"][peer][goal.ratio]
                for name in goal.cases
                for sides in goal.sides
                if peer in cases.get(f"{name} {sides}", {})
            }
            found = {name: ratio for name, ratio in found.items() if ratio is not None}
            if found:
                lines.append(_said(f"{goal.name}: at most {most} of {peer}", found, most))
    lines += _quality(cases)
    for peer, names, most in OTHER_GOALS:
        found = {entry["case"]: entry["cpuRatio"] for entry in beside if entry["peer"] == peer and entry["case"] in names}
        if found:
            lines.append(_said(f"at most {most} of {peer}", found, most))
    found = {f"{entry['case']} {entry['peer']}": entry["rssRatio"] for entry in beside}
    if found:
        lines.append(_said(f"peak memory: at most {OTHER_MEMORY} of each tool", found, OTHER_MEMORY))
    return "\n".join(lines)


def _said(goal: str, found: dict[str, float], most: float) -> str:
    worst = max(found, key=lambda name: found[name])
    missed = sorted((name for name in found if found[name] > most), key=lambda name: -found[name])
    if not missed:
        return f"  reached      {goal}: {found[worst]:.2f} ({worst})"
    shown = ", ".join(f"{name} {found[name]:.2f}" for name in missed[:4]) + (", …" if len(missed) > 4 else "")
    return f"  not reached  {goal}: {found[worst] / most:.2f} times that; {len(missed)} of {len(found)} miss it: {shown}"


def _quality(cases: dict[str, dict[str, dict]]) -> list[str]:
    lines = []
    for what, slack in SLACK.items():
        less = {}
        compared = 0
        for case, peers in cases.items():
            entry = peers.get(QUALITY_OF, {})
            ours, theirs = entry.get("ours"), entry.get("theirs")
            for key in (what, what + "1280"):
                if ours and theirs and ours.get(key) is not None:
                    compared += 1
                    less[f"{case} {key}"] = ours[key] - theirs[key]
        missed = sorted((name for name in less if less[name] < -slack), key=lambda name: less[name])
        form = "+.2f" if what == "psnr" else "+.4f"
        if not less:
            continue
        goal = f"{what.upper()} at least that of {QUALITY_OF}"
        if missed:
            shown = ", ".join(f"{name} {less[name]:{form}}" for name in missed[:4]) + (", …" if len(missed) > 4 else "")
            lines.append(f"  not reached  {goal}: {len(missed)} of {compared} miss it: {shown}")
        else:
            least = min(less, key=lambda name: less[name])
            lines.append(f"  reached      {goal}: {less[least]:{form}} ({least})")
    return lines


def machine() -> str:
    """What it ran on: no names of machines."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    kernel = ".".join(platform.release().split(".")[:2])
    rustc = _output("rustc", "--version").split()[1]
    sharp = re.search(r'"version": "(.*)"', (ROOT / "bench/node_modules/sharp/package.json").read_text())
    vips = ".".join(str(pyvips.version(part)) for part in range(3))
    return (
        f"{model[1] if model else platform.machine()}, {len(os.sched_getaffinity(0))} cores, {system}, Linux {kernel}; "
        f"rustc {rustc}, libvips {vips} (pyvips {pyvips.__version__}, Python {platform.python_version()}), "
        f"sharp {sharp[1] if sharp else '?'} (Node {_output('node', '--version').strip().lstrip('v')})"
    )


def _output(program: str, *arguments: str) -> str:
    return subprocess.run([shutil.which(program) or program, *arguments], capture_output=True, text=True, check=True).stdout


def write_readme(entries: list[dict], beside: list[dict], photos: bool) -> None:
    """Put the table between its markers."""
    cases = by_case(entries)
    head = ["picture", *(f"{sides.replace('+', ' + ')}: {of}" for sides in SIDES for of in ("CPU", "memory")), "PSNR, dB"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    errors = []
    for case in CASES:
        cells = [case.name]
        for sides in SIDES:
            peers = cases[f"{case.name} {sides}"]
            cells.append(" · ".join(cpu(peers[peer]) for peer in PEERS))
            cells.append(" · ".join(_number(peers[peer]["rssRatio"]) for peer in PEERS))
        peers = cases[f"{case.name} {next(iter(SIDES))}"]
        cells.append(each(peers, "psnr", ".1f").replace(" / ", " · "))
        lines.append(f"| {' | '.join(cells)} |")
        errors += [f"{case.name}: {peer} {why}" for peer, why in case.cannot.items()]
    lines += ["", "| file | beside | CPU | memory |", "|---|---|---|---|"]
    about = {other.name: other.about for other in OTHERS}
    lines += [
        f"| {entry['case']}: {about[entry['case']]} | {entry['peer']} | {cpu(entry)} | {_number(entry['rssRatio'])} |"
        for entry in beside
    ]
    started = [each(_started(entries), key, ".0f").replace(" / ", " · ") for key in ("startMs", "startMb")]
    notes = [
        f"{entries[0]['rounds']} rounds on {machine()}. First libvips, then sharp; PSNR of the 320: ours, libvips, sharp.",
        f"Starting alone takes {started[0]} ms and {started[1]} MB.",
        *(f"{error}." for error in errors),
        *([] if photos else [NO_PHOTOS]),
    ]
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit("README.md has lost the markers of the bench")
    readme.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + "\n\n" + " ".join(notes) + f"\n\n{END}{after}")
