#!/usr/bin/env python3
"""Break the protocol in the real code, one way at a time, and see that the tests notice.

    run.py [--check] [NAME...]

Each mutant is one change of a copy of this checkout, in target/mutants/tree. It is caught when the flows that are named for it
fail, with the words that belong to it. Prints a line for
each; exit 1 if one lived. With --check nothing is built: it is only looked whether every change still applies, exactly once, and whether
there are flows of the names that are to catch it.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "mutants"
GIT, CARGO = shutil.which("git") or "git", shutil.which("cargo") or "cargo"


@dataclass(frozen=True)
class Mutant:
    """One way to break the protocol."""

    name: str
    file: str
    before: str
    after: str
    caught_by: str
    says: str


MUTANTS = [
    Mutant(
        "collector-while-pending",
        "common/domain/src/reclaim.rs",
        "Some(Attachment::Pending(_)) => Keep::All(Why::Pending),",
        "Some(Attachment::Pending(_)) => Keep::Referenced(BTreeSet::new()),",
        "faults::whoever_comes_in_between",
        r"is not there",
    ),
    Mutant(
        "unconditional-publish",
        "common/store/src/decisions.rs",
        '.condition_expression("attachments.#attachment.#state = :pending")',
        '.condition_expression("attribute_not_exists(attachments.#attachment.#state) OR :pending = :pending")',
        "faults::whoever_comes_in_between",
        r"ends in|is of nothing|is not there",
    ),
    Mutant(
        "publish-before-copy",
        "lambdas/ingest/src/steps/publish.rs",
        "    let Copied::Whole(digest) = world.objects.copy(&source, &to).await? else {",
        """    let early = Ready {
        promise: promise.clone(),
        facts: facts.clone(),
        original: original.clone(),
        variants: variants.clone(),
        inbox_version: upload.version.clone(),
        decided_at: world.clock.now(),
    };
    let early = Attachment::Ready(Box::new(early));
    world.decisions.decide(&upload.key, &early, Cause::AttachmentReady, world.clock.now()).await?;
    let Copied::Whole(digest) = world.objects.copy(&source, &to).await? else {""",
        "faults::every_call_fails_once",
        r"is not there",
    ),
    Mutant(
        "retire-before-publish",
        "lambdas/ingest/src/steps/publish.rs",
        "    let entry = Attachment::Ready(Box::new(ready));",
        "    let entry = Attachment::Ready(Box::new(ready));\n    world.objects.retire(upload).await?;",
        "faults::every_call_fails_once",
        r"is not decided, and not in the inbox",
    ),
    Mutant(
        "retire-by-key",
        "common/store/src/objects.rs",
        "match delete.version_id(source.version.as_str()).send().await {",
        "match delete.send().await {",
        "faults::every_call_fails_once",
        r"a delete marker in the inbox",
    ),
    Mutant(
        "own-success-read-as-a-loss",
        "lambdas/ingest/src/steps/ask.rs",
        "        Standing::Decided(end) => Ok(end),",
        "        Standing::Decided(_) => Ok(End::Quarantine(Outcome::Quarantined)),",
        "faults::every_call_fails_once",
        r"is published, and in quarantine as well",
    ),
]


def broken(mutant: Mutant, root: Path) -> str:
    """The file's text with the change."""
    text = (root / mutant.file).read_text(encoding="utf-8")
    if text.count(mutant.before) != 1:
        sys.exit(f"{mutant.name}: {mutant.file} has {text.count(mutant.before)} places for it, not one")
    return text.replace(mutant.before, mutant.after)


def copy() -> Path:
    """A copy of what git has of this checkout, with the changes that are not committed."""
    tree = WORK / "tree"
    listed = subprocess.run([GIT, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    wanted = {name for name in listed if name and (ROOT / name).is_file()}
    for name in wanted:
        source, target = ROOT / name, tree / name
        # What is as it was keeps its time, so that nothing is built again for nothing.
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    for path in tree.rglob("*"):
        name = str(path.relative_to(tree))
        if path.is_file() and name not in wanted and not name.startswith("target/"):
            path.unlink()
    return tree


def build_folder() -> Path:
    """A target folder of their own, so that nothing broken is taken for what it was made from. It begins as a copy of what was built already."""
    built, folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug", WORK / "build"
    if not folder.exists():
        shutil.copytree(built, folder / "debug", ignore=shutil.ignore_patterns("incremental"))
    return folder


def count_of_tests(said: str) -> int:
    """How many tests were run, by the last word of the run about it."""
    told = re.findall(r"^running (\d+) tests?$", said, re.MULTILINE)
    return int(told[-1]) if told else 0


def check_names() -> None:
    """Ends with an error when a mutant is to be caught by no flow, or only by one that takes long."""
    flows = (
        (ROOT / "tests/flows/main.rs").read_text(encoding="utf-8").partition("const FLOWS")[2].partition("const LONG_FLOWS")[0]
    )
    names, module = [], ""
    for line in flows.splitlines():
        if found := re.fullmatch(r"    (\w+):", line):
            module = found[1]
        elif found := re.fullmatch(r"        (\w+)[,;]", line):
            names.append(f"{module}::{found[1]}")
    for mutant in MUTANTS:
        if not any(mutant.caught_by in name for name in names):
            sys.exit(f"{mutant.name}: there is no flow {mutant.caught_by}")
    if [count_of_tests(said) for said in ("", "\nrunning 0 tests\n", "x\nrunning 1 test\ntest a ... ok\n")] != [0, 0, 1]:
        sys.exit("the number of tests is not read")


def run(name: str, tree: Path, wanted: str) -> tuple[bool, str]:
    """Whether the tests of `wanted` pass in `tree`, and what they said."""
    log = WORK / f"{name}.log"
    command = [CARGO, "test", "--workspace", "--locked", "--test", "flows"]
    # The order of the calls is another matter: a mutant that changes it must be caught by what it does.
    environment = os.environ | {"INSTA_FORCE_PASS": "1", "INSTA_UPDATE": "no", "CARGO_TARGET_DIR": str(build_folder())}
    # `make` hands these on to who is called by it, and with them the flows are others.
    for variable in ("LONG_FLOWS", "SOAK_SECONDS", "PAIRS_FROM"):
        environment.pop(variable, None)
    with log.open("wb") as out:
        built = subprocess.run([*command, "--no-run"], cwd=tree, env=environment, stdout=out, stderr=out, check=False)
        if built.returncode != 0:
            sys.exit(f"{name} does not compile: see {log.relative_to(ROOT)}")
        ended = subprocess.run([*command, "--", wanted], cwd=tree, env=environment, stdout=out, stderr=out, check=False)
    said = log.read_text(encoding="utf-8", errors="replace")
    if count_of_tests(said) == 0:
        sys.exit(f"{name}: no test was run for {wanted}: see {log.relative_to(ROOT)}")
    return ended.returncode == 0, said


def fate(mutant: Mutant, tree: Path) -> str:
    """What becomes of it: `caught`, or why not."""
    path = tree / mutant.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(broken(mutant, tree), encoding="utf-8")
    try:
        passed, said = run(mutant.name, tree, mutant.caught_by)
    finally:
        path.write_text(whole, encoding="utf-8")
    if passed:
        return "LIVES"
    return "caught" if re.search(mutant.says, said) else f"FAILS without saying {mutant.says!r}"


def main() -> int:
    """Run the mutants that are asked for."""
    names = [name for name in sys.argv[1:] if name != "--check"]
    if unknown := set(names) - {mutant.name for mutant in MUTANTS}:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    for mutant in MUTANTS:
        broken(mutant, ROOT)
    check_names()
    if "--check" in sys.argv:
        return 0
    tree, alive = copy(), []
    # What is not broken must pass, or nothing is proven by what fails. Who asks for some of them has seen to it.
    for wanted in [] if names else sorted({mutant.caught_by for mutant in MUTANTS}):
        passed, _ = run("control", tree, wanted)
        print(f"unbroken: {'passes' if passed else 'FAILS'} {wanted}", flush=True)
        alive += ["control"] * (not passed)
    for mutant in MUTANTS:
        if names and mutant.name not in names:
            continue
        told = fate(mutant, tree)
        alive += [mutant.name] * (told != "caught")
        print(f"{mutant.name}: {told} by {mutant.caught_by}", flush=True)
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
