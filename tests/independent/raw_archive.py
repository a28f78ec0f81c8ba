"""Rebuilds messages from the raw archive, with nothing but the bucket: JSON Lines in zstd, in any order, with repeats."""

import json
import re
from decimal import Decimal
from typing import Any

import zstandard

from cloud import Cloud, Json
from findings import Findings

KEY = re.compile(r"raw/dt=\d{4}-\d\d-\d\d/hour=\d\d/\d+-\d+-[0-9a-f]{16}\.jsonl\.zst")
FIELDS = {"eventId", "event", "time", "sequence", "room", "seq", "ver", "by", "cause", "at", "expired", "old", "new"}
# Nothing of a message is bytes or a set, so that nothing is noted beside its plain JSON.
MAX_BYTES = 64 * 1024 * 1024

Place = tuple[str, int]


def read(cloud: Cloud, findings: Findings, room: str) -> list[Json]:
    """The records of a room (of all rooms when it is empty), each change once."""
    records: dict[str, Json] = {}
    for key in sorted(cloud.keys(cloud.archive, "")):
        findings.ok(KEY.fullmatch(key) is not None, "archive", f"the key {key}")
        stored = cloud.get(cloud.archive, key)
        if stored is None:
            continue
        # Where a frame states its size, zstandard goes by that and by no limit that it is given.
        size = zstandard.frame_content_size(stored.body)
        if not findings.ok(0 <= size <= MAX_BYTES, f"archive {key}", f"unpacks to {size} bytes"):
            continue
        lines = zstandard.ZstdDecompressor().decompress(stored.body)
        # `splitlines` would split at U+2028 and others too, which JSON leaves as they are in a message's text.
        for line in lines.decode().removesuffix("\n").split("\n"):
            record: Json = json.loads(line, parse_int=Decimal, parse_float=Decimal)
            if room in ("", record.get("room")):
                before = records.setdefault(record["eventId"], record)
                findings.equal(record, before, f"archive {key}", "a change that was archived before")
    return list(records.values())


def rebuild(records: list[Json], findings: Findings) -> dict[Place, Json]:
    """The messages that the records tell of, after checking that each tells its story without a gap."""
    stories: dict[Place, list[Json]] = {}
    for record in records:
        stories.setdefault((record["room"], int(record["seq"])), []).append(record)
    rebuilt = {}
    for place, story in stories.items():
        story.sort(key=lambda record: record["ver"])
        where = f"archive, message {place[1]}"
        versions = [int(record["ver"]) for record in story]
        findings.equal(versions, list(range(1, len(story) + 1)), where, "the versions")
        item: Any = None
        for record in story:
            _record(record, item, where, findings)
            item = record["new"]
        rebuilt[place] = item
    return rebuilt


def _record(record: Json, before: Any, where: str, findings: Findings) -> None:
    """One record: complete, signed with who, why and when, and fitting on the one before."""
    where = f"{where} version {record['ver']}"
    findings.equal(record.keys() - {"types"}, FIELDS, where, "the fields")
    findings.equal(record["old"], before, where, "what was before")
    findings.equal(record["event"], "MODIFY" if before else "INSERT", where, "the event")
    findings.equal(record["expired"], False, where, "expired")
    for name in ("by", "cause", "at", "room", "seq", "ver"):
        findings.equal(record[name], record["new"][name], where, name)
    for name in ("by", "cause", "at", "time", "eventId", "sequence"):
        findings.ok(bool(record[name]), where, f"no {name}")
