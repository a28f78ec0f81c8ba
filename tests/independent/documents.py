"""The shape of message documents and their attachment entries, as DESIGN.md promises it to readers of the table."""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from cloud import Json
from findings import Findings

ULID = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SHA256 = re.compile(r"[0-9a-f]{64}")
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
CAUSES = {
    "sent",
    "edited",
    "deleted",
    "attachment-ready",
    "attachment-rejected",
    "attachment-cancelled",
    "attachment-removed",
}
REJECTIONS = {
    "type-mismatch",
    "damaged",
    "too-many-pixels",
    "too-many-frames",
    "empty",
    "size-mismatch",
    "checksum-mismatch",
    "too-large",
    "type-not-allowed",
    "polyglot",
    "archive-bomb",
    "encrypted",
    "inspection-failed",
    "inspection-crashed",
    "too-much-memory",
    "too-much-time",
}

Test = Callable[[Any], bool]


def _matching(pattern: re.Pattern[str]) -> Test:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _whole(least: int) -> Test:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _one_of(values: set[str]) -> Test:
    return lambda value: isinstance(value, str) and value in values


def _a(kind: type) -> Test:
    return lambda value: isinstance(value, kind)


ulid, moment, sha256, media_type = map(_matching, (ULID, MOMENT, SHA256, MEDIA_TYPE))

MESSAGE: Mapping[str, Test] = {
    "room": ulid,
    "seq": _whole(1),
    "ver": _whole(1),
    "by": _text,
    "cause": _one_of(CAUSES),
    "at": moment,
    "author": _text,
    "createdAt": moment,
    "deleted": _a(bool),
}
MESSAGE_MAY: Mapping[str, Test] = {
    "editedAt": moment,
    "text": _a(str),
    "attachments": _a(dict),
    "attachmentOrder": _a(list),
}
KEYS: Mapping[str, Test] = {"PK": _text, "SK": _text, "GSI1PK": _text, "GSI1SK": _text}

PROMISE: Mapping[str, Test] = {
    "state": _one_of({"pending", "ready", "rejected", "cancelled"}),
    "id": ulid,
    "name": _text,
    "size": _whole(0),
    "declaredType": media_type,
    "createdAt": moment,
}
PROMISE_MAY: Mapping[str, Test] = {"declaredSha256": sha256}
DECIDED: Mapping[str, Mapping[str, Test]] = {
    "pending": {},
    "ready": {"facts": _a(dict), "original": _a(dict), "variants": _a(dict), "inboxVersion": _text, "decidedAt": moment},
    "rejected": {"rejection": _a(dict), "inboxVersion": _text, "decidedAt": moment},
    "cancelled": {"decidedAt": moment},
}
FACTS: Mapping[str, Test] = {"type": media_type}
FACTS_MAY: Mapping[str, Test] = {
    "sha256": sha256,
    "parts": _a(dict),
    "width": _whole(1),
    "height": _whole(1),
    "rotation": lambda value: value in (90, 180, 270),
    "frames": _whole(1),
    "durationMillis": _whole(0),
    "codecs": lambda value: isinstance(value, list) and 1 <= len(value) <= 4 and all(map(_text, value)),
    "waveform": _matching(re.compile(r"[A-Za-z0-9+/]{134}==")),
    "pages": _whole(1),
    "macros": _a(bool),
    "encrypted": lambda value: value is True,
    "encoding": _text,
    "excerpt": lambda value: _text(value) and len(value.encode()) <= 240,
    "entries": _whole(0),
    "unpackedSize": _whole(0),
    "thumbhash": _text,
    "recipe": _text,
}
ORIGINAL: Mapping[str, Test] = {"key": _text, "size": _whole(1)}
VARIANT: Mapping[str, Test] = {**ORIGINAL, "type": media_type, "width": _whole(1), "height": _whole(1)}
REJECTION: Mapping[str, Test] = {"code": _one_of(REJECTIONS), "message": _text}


def shape(findings: Findings, where: str, value: Json, must: Mapping[str, Test], may: Mapping[str, Test]) -> None:
    """Check that ``value`` has all fields it must have, only fields it may have, and each of the right form."""
    missing = sorted(must.keys() - value.keys())
    unknown = sorted(value.keys() - must.keys() - may.keys())
    findings.ok(not missing, where, f"without {', '.join(missing)}")
    findings.ok(not unknown, where, f"with unknown {', '.join(unknown)}")
    for name, test in {**must, **may}.items():
        if name in value:
            findings.ok(test(value[name]), where, f"{name} is {value[name]!r}")


def check_message(findings: Findings, item: Json) -> None:
    """A message item: its keys, its fields, and that its attachments agree with their order."""
    where = f"item {item.get('PK')} {item.get('SK')}"
    shape(findings, where, item, {**KEYS, **MESSAGE}, MESSAGE_MAY)
    seq = f"{item.get('seq', 0):012}"
    findings.equal(item["PK"], f"ROOM#{item.get('room')}", where, "PK")
    findings.equal(item["SK"], f"MSG#{seq}", where, "SK")
    findings.equal(item.get("GSI1PK"), f"ROOM#{item.get('room')}#CHG", where, "GSI1PK")
    findings.equal(item.get("GSI1SK"), f"{item.get('at')}#{seq}", where, "GSI1SK")
    entries = item.get("attachments", {})
    findings.equal(sorted(item.get("attachmentOrder", [])), sorted(entries), where, "attachmentOrder, sorted,")
    decided = sum(entry.get("state") != "pending" for entry in entries.values())
    findings.ok(item.get("ver", 0) >= 1 + decided, where, f"ver {item.get('ver')} after {decided} decisions")
    for name, entry in entries.items():
        _check_entry(findings, f"{where} attachment {name}", name, entry)


def _check_entry(findings: Findings, where: str, name: str, entry: Json) -> None:
    """An entry of the attachments map, by its state."""
    state = entry.get("state")
    if state == "removed":
        findings.equal(entry, {"state": "removed"}, where, "a removed entry")
        return
    shape(findings, where, entry, {**PROMISE, **DECIDED.get(str(state), {})}, PROMISE_MAY)
    findings.equal(entry.get("id"), name, where, "id")
    if state == "ready":
        shape(findings, f"{where} facts", entry["facts"], FACTS, FACTS_MAY)
        shape(findings, f"{where} original", entry["original"], ORIGINAL, {})
        for variant, value in entry["variants"].items():
            shape(findings, f"{where} variant {variant}", value, VARIANT, {})
    if state == "rejected":
        shape(findings, f"{where} rejection", entry["rejection"], REJECTION, {})


def tag(version: str) -> str:
    """What stands for an inbox version in the keys of the other buckets."""
    return hashlib.sha256(version.encode()).hexdigest()[:16]


def prefix(item: Json, attachment: str) -> str:
    """Where the objects of one attachment are, in every bucket."""
    return f"{item['room']}/{item['seq']:012}/{attachment}"
