#!/usr/bin/env python3
"""Break the protocol in the real code, one way at a time, and see that the tests notice.

    run.py [--check] [NAME...]

Each mutant is one change of a copy of this checkout, in target/mutants/tree. It is caught when the flows that are named for it fail. Prints a line for
each; exit 1 if one lived. With --check nothing is built: it is only looked whether every change still applies, exactly once.
"""

import os
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


MUTANTS = [
    Mutant(
        "collector-while-pending",
        "common/domain/src/reclaim.rs",
        "Some(Attachment::Pending(_)) => Keep::All(Why::Pending),",
        "Some(Attachment::Pending(_)) => Keep::Referenced(BTreeSet::new()),",
        "faults::whoever_comes_in_between",
    ),
    Mutant(
        "unconditional-publish",
        "common/store/src/decisions.rs",
        '.condition_expression("attachments.#attachment.#state = :pending")',
        '.condition_expression("attribute_not_exists(attachments.#attachment.#state) OR :pending = :pending")',
        "faults::whoever_comes_in_between",
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
    ),
    Mutant(
        "retire-before-publish",
        "lambdas/ingest/src/steps/publish.rs",
        "    let entry = Attachment::Ready(Box::new(ready));",
        "    let entry = Attachment::Ready(Box::new(ready));\n    world.objects.retire(upload).await?;",
        "faults::every_call_fails_once",
    ),
    Mutant(
        "retire-by-key",
        "common/store/src/objects.rs",
        "match delete.version_id(source.version.as_str()).send().await {",
        "match delete.send().await {",
        "faults::every_call_fails_once",
    ),
    Mutant(
        "own-success-read-as-a-loss",
        "lambdas/ingest/src/steps/ask.rs",
        "if entry.inbox_version == upload.version => End::Retire(Outcome::Retired),",
        "if entry.inbox_version != upload.version => End::Retire(Outcome::Retired),",
        "faults::every_call_fails_once",
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
    return tree


def build_folder() -> Path:
    """A target folder of their own, so that nothing broken is taken for what it was made from. It begins as a copy of what was built already."""
    built, folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug", WORK / "build"
    if not folder.exists():
        shutil.copytree(built, folder / "debug", ignore=shutil.ignore_patterns("incremental"))
    return folder


def lives(mutant: Mutant, tree: Path) -> bool:
    """Whether the tests pass all the same."""
    path = tree / mutant.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(broken(mutant, tree), encoding="utf-8")
    log = WORK / f"{mutant.name}.log"
    try:
        command = [CARGO, "test", "--workspace", "--locked", "--test", "flows"]
        environment = os.environ | {"INSTA_UPDATE": "no", "CARGO_TARGET_DIR": str(build_folder())}
        with log.open("wb") as out:
            built = subprocess.run([*command, "--no-run"], cwd=tree, env=environment, stdout=out, stderr=out, check=False)
            if built.returncode != 0:
                sys.exit(f"{mutant.name} does not compile: see {log.relative_to(ROOT)}")
            ended = subprocess.run(
                [*command, "--", mutant.caught_by], cwd=tree, env=environment, stdout=out, stderr=out, check=False
            )
    finally:
        path.write_text(whole, encoding="utf-8")
    return ended.returncode == 0


def main() -> int:
    """Run the mutants that are asked for."""
    names = [name for name in sys.argv[1:] if name != "--check"]
    if unknown := set(names) - {mutant.name for mutant in MUTANTS}:
        sys.exit(f"no such mutant: {', '.join(sorted(unknown))}")
    for mutant in MUTANTS:
        broken(mutant, ROOT)
    if "--check" in sys.argv:
        return 0
    tree, alive = copy(), []
    for mutant in MUTANTS:
        if names and mutant.name not in names:
            continue
        is_alive = lives(mutant, tree)
        alive += [mutant.name] * is_alive
        print(f"{mutant.name}: {'LIVES' if is_alive else 'caught'} by {mutant.caught_by}", flush=True)
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
