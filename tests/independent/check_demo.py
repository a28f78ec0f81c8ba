#!/usr/bin/env python3
"""Check a finished demo from outside: read S3, the table and the archive directly and compare them with what was sent.

    check_demo.py --report target/demo/report.json --endpoint-url http://127.0.0.1:PORT --region R --stack NAME --files DIR…

It shares no code with the Rust side. What must happen to a fixture is in fixtures/manifest.json; everything else it works out
from the files themselves with Pillow and hashlib. Every file under --files must have been sent. It prints a line for each check
that failed and a summary; exit 1 if any failed. With --only-room it looks at the demo's own room alone, where others use the
stack at the same time.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import documents
import others
import pixels
import raw_archive
from cloud import Cloud, Json, StoredObject, stack_arguments
from findings import Findings

MANIFEST = Path(__file__).resolve().parents[2] / "fixtures" / "manifest.json"

# Thumbnails by name: the side of the square that they fit.
VARIANTS = {"320": 320, "1280": 1280}
# What of the manifest stands in the facts under the same name.
IN_FACTS = {
    "type",
    "frames",
    "durationMillis",
    "rotation",
    "pages",
    "macros",
    "encoding",
    "excerpt",
    "encrypted",
    "codecs",
    "entries",
}
WITH_ALPHA = {"image/png", "image/webp"}

# A thumbhash holds colour in 6 bits a channel.
THUMBHASH_TOLERANCE = 0.08


@dataclass(frozen=True)
class Sent:
    """A file that went into the demo, and what the manifest says of it."""

    path: Path
    data: bytes
    expect: Json

    @cached_property
    def picture(self) -> pixels.Picture:
        """The file as Pillow shows it."""
        return pixels.read(self.data)

    @cached_property
    def sha256(self) -> str:
        """Its digest, as it stands in documents."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Entry:
    """An attachment's entry and the message that it is in."""

    item: Json
    id: str
    value: Json

    @property
    def where(self) -> str:
        """How failures name it."""
        return f"{self.value.get('name', self.id)} ({self.prefix})"

    @property
    def prefix(self) -> str:
        """The prefix of its keys in every bucket."""
        return documents.prefix(self.item, self.id)

    @property
    def state(self) -> str:
        """Its state."""
        return str(self.value.get("state"))

    @property
    def original(self) -> str:
        """The key of its original, in the processed bucket or in quarantine."""
        return f"{self.prefix}/{documents.tag(self.value['inboxVersion'])}/original"


class Check:
    """All checks of one demo, over what the stack holds now."""

    def __init__(self, cloud: Cloud, report: Json, sent: dict[str, Sent], only_room: bool) -> None:
        """Read the table and list the buckets once."""
        self.findings = Findings()
        self._cloud = cloud
        self._report = report
        self._sent = sent
        room = report["room"] if only_room else ""
        self._prefix = f"{room}/" if room else ""
        messages = [item for item in cloud.items() if item["SK"].startswith("MSG#")]
        self._messages = [item for item in messages if item["PK"] == f"ROOM#{room}" or not room]
        self._entries = [
            Entry(item, name, value) for item in self._messages for name, value in item.get("attachments", {}).items()
        ]
        self._processed = cloud.keys(cloud.processed, self._prefix)
        self._quarantine = cloud.keys(cloud.quarantine, self._prefix)

    def run(self) -> Findings:
        """Run every check."""
        for item in self._messages:
            documents.check_message(self.findings, item)
        for entry in self._entries:
            if entry.state == "ready":
                self._ready(entry)
            if entry.state == "rejected":
                self._rejected(entry)
        self._nothing_else_anywhere()
        self._report_agrees()
        self._archive_rebuilds()
        return self.findings

    # What a ready attachment must be.

    def _ready(self, entry: Entry) -> None:
        """The original is the input, the facts are true, the thumbnails are good."""
        value, where, ok = entry.value, entry.where, self.findings
        ok.equal(value["original"]["key"], entry.original, where, "the original's key")
        stored = self._object(entry, self._cloud.processed, value["original"]["key"])
        if stored is None:
            return
        digest = hashlib.sha256(stored.body).hexdigest()
        ok.equal(len(stored.body), value["original"]["size"], where, "the original's length")
        ok.equal(stored.content_type, value["facts"]["type"], where, "the original's content type")
        ok.ok((stored.disposition or "").startswith(("attachment", "inline")), where, f"disposition {stored.disposition!r}")
        ok.equal(stored.metadata, {}, where, "the original's metadata")
        ok.equal(stored.tags, 0, where, "the number of the original's tags")
        ok.equal(value["facts"].get("sha256"), digest, where, "facts.sha256")
        ok.ok(entry.original not in self._quarantine, where, "is in quarantine as well")
        sent = self._sent.get(value["name"])
        if sent is None:
            return
        ok.equal(digest, sent.sha256, where, "the original's SHA-256")
        if sent.expect:
            ok.equal("ready", sent.expect["state"], where, "the state")
        kind = value["facts"]["type"]
        if kind.startswith("image/"):
            self._picture(entry, sent)
        elif kind == "application/pdf":
            self._document(entry, sent)
        elif kind.startswith("video/") and others.has_pictures(sent.data):
            self._film(entry, sent)
        else:
            ok.equal(value["variants"], {}, where, "the variants of what has no picture")
            # A container of films may hold sound alone.
            if kind.startswith(("audio/", "video/")):
                self._sound(entry, sent)
        for name in sent.expect.keys() & IN_FACTS:
            ok.equal(value["facts"].get(name), sent.expect[name], where, f"facts.{name}")

    def _document(self, entry: Entry, sent: Sent) -> None:
        """Its pages are counted, and each thumbnail shows the first. What the manifest promises no pages of is hostile: PDFium would draw
        it for hours.
        """
        if sent.expect and "pages" not in sent.expect:
            self.findings.equal(entry.value["variants"], {}, entry.where, "the variants of a hostile document")
            return
        pages, first = others.document(sent.data)
        self.findings.equal(entry.value["facts"].get("pages"), pages, entry.where, "facts.pages")
        self._shows(entry, [first])

    def _film(self, entry: Entry, sent: Sent) -> None:
        """Its facts are those that FFmpeg finds, and each thumbnail shows one of its first keyframes where it is H.264 in MP4 and its like."""
        facts, where, ok = entry.value["facts"], entry.where, self.findings
        film = others.film(sent.data)
        ok.equal((facts.get("width"), facts.get("height")), film.size, where, "width and height in facts")
        ok.equal(facts.get("rotation", 0), film.rotation, where, "facts.rotation")
        self._lasts(entry, film.milliseconds)
        if film.codec == "h264" and film.keyframes and facts["type"] not in {"video/matroska", "video/webm"}:
            self._shows(entry, film.keyframes)
        else:
            ok.equal(entry.value["variants"], {}, where, f"the variants of {film.codec} of which {len(film.keyframes)} decode")

    def _sound(self, entry: Entry, sent: Sent) -> None:
        """It lasts as long as FFmpeg says, and its waveform has the peaks that FFmpeg decodes."""
        facts, where, ok = entry.value["facts"], entry.where, self.findings
        sound = others.sound(sent.data)
        self._lasts(entry, sound.milliseconds)
        if ok.ok("waveform" in facts, where, "no waveform"):
            strays = others.strays(others.waveform(facts["waveform"]), sound.peaks)
            ok.ok(strays <= others.STRAY_POINTS, where, f"{strays} points of the waveform are far from the sound")

    def _lasts(self, entry: Entry, milliseconds: float | None) -> None:
        """It takes so long."""
        stated = entry.value["facts"].get("durationMillis")
        if milliseconds is None or stated is None:
            self.findings.equal(stated, milliseconds, entry.where, "facts.durationMillis")
            return
        apart = abs(stated - milliseconds)
        self.findings.ok(apart <= others.MILLISECONDS, entry.where, f"durationMillis {stated}, FFmpeg says {milliseconds:.0f}")

    def _shows(self, entry: Entry, pictures: list[pixels.Picture]) -> None:
        """Both thumbnails are there, open, and show one of ``pictures``."""
        self.findings.equal(set(entry.value["variants"]), set(VARIANTS), entry.where, "the variants")
        self.findings.ok(bool(entry.value["facts"].get("thumbhash")), entry.where, "no thumbhash")
        for name, variant in entry.value["variants"].items():
            where = f"{entry.where} variant {name}"
            thumbnail = self._opened(entry, name, variant)
            if thumbnail is None:
                continue
            self.findings.equal((variant["width"], variant["height"]), thumbnail.size, where, "the promised size")
            self.findings.ok(max(thumbnail.size) <= VARIANTS.get(name, 0), where, f"{thumbnail.size} pixels")
            nearest = min(pictures, key=lambda picture: pixels.differences(picture, thumbnail.upright)["upright"], default=None)
            if self.findings.ok(nearest is not None, where, "nothing to compare it with") and nearest is not None:
                self._likeness(where, thumbnail, nearest)

    def _picture(self, entry: Entry, sent: Sent) -> None:
        """The facts of a picture, and each of its thumbnails."""
        facts, where, ok = entry.value["facts"], entry.where, self.findings
        picture = sent.picture
        ok.equal((facts.get("width"), facts.get("height")), picture.size, where, "width and height in facts")
        if "width" in sent.expect:
            ok.equal(picture.size, (sent.expect["width"], sent.expect["height"]), where, "the size in the manifest")
            ok.equal(picture.is_transparent, sent.expect["alpha"], where, "transparency in the manifest")
        self._thumbhash(entry, picture)
        ok.equal(set(entry.value["variants"]), set(VARIANTS), where, "the variants")
        for name, variant in entry.value["variants"].items():
            self._thumbnail(entry, name, variant, picture)

    def _thumbhash(self, entry: Entry, picture: pixels.Picture) -> None:
        """The blurred preview has the picture's mean colour and says whether it is transparent."""
        text = entry.value["facts"].get("thumbhash")
        if not self.findings.ok(bool(text), entry.where, "no thumbhash"):
            return
        stated, alpha = pixels.thumbhash_average(text)
        real = pixels.average(picture)
        apart = max(abs(one - other) for one, other in zip(stated, real, strict=True))
        self.findings.ok(apart <= THUMBHASH_TOLERANCE, entry.where, f"thumbhash colour {stated} is far from {real}")
        self.findings.equal(alpha, picture.is_transparent, entry.where, "transparency in the thumbhash")

    def _thumbnail(self, entry: Entry, name: str, variant: Json, picture: pixels.Picture) -> None:
        """One thumbnail: its key, size, type, freedom from metadata, and its pixels."""
        where, ok = f"{entry.where} variant {name}", self.findings
        thumbnail = self._opened(entry, name, variant)
        if thumbnail is None:
            return
        if picture.is_transparent:
            ok.ok(variant["type"] in WITH_ALPHA and thumbnail.is_transparent, where, f"lost its alpha in {variant['type']}")
        elif not picture.has_alpha_channel:
            ok.equal(variant["type"], "image/jpeg", where, "the type")
        self._size(where, thumbnail, variant, picture, VARIANTS.get(name, 0))
        self._likeness(where, thumbnail, picture)

    def _opened(self, entry: Entry, name: str, variant: Json) -> pixels.Picture | None:
        """A thumbnail that is under its key, of its type and length, and nothing but a picture."""
        where, ok = f"{entry.where} variant {name}", self.findings
        recipe = entry.value["facts"].get("recipe")
        key = f"{entry.prefix}/{documents.tag(entry.value['inboxVersion'])}/{recipe}/{name}"
        ok.equal(variant["key"], key, where, "the key")
        stored = self._object(entry, self._cloud.processed, variant["key"])
        if stored is None:
            return None
        ok.equal(len(stored.body), variant["size"], where, "the length")
        ok.equal(stored.content_type, variant["type"], where, "the object's content type")
        ok.equal(pixels.extras(stored.body), [], where, "what is in the file besides the picture")
        ok.equal(pixels.media_type(stored.body), variant["type"], where, "the type of the bytes")
        try:
            return pixels.read(stored.body)
        except OSError as problem:
            ok.ok(False, where, f"does not open: {problem}")
            return None

    def _size(self, where: str, thumbnail: pixels.Picture, variant: Json, picture: pixels.Picture, longest: int) -> None:
        """It fits its square as closely as whole pixels allow and is not enlarged."""
        self.findings.equal((variant["width"], variant["height"]), thumbnail.size, where, "the promised size")
        for got, exact in zip(thumbnail.size, pixels.fits(*picture.size, longest), strict=True):
            self.findings.ok(abs(got - max(exact, 1)) < 1, where, f"a side of {got} where {exact:.2f} fits")

    def _likeness(self, where: str, thumbnail: pixels.Picture, picture: pixels.Picture) -> None:
        """It looks like the picture, and more so than like any turned or mirrored one."""
        found = pixels.differences(picture, thumbnail.upright)
        upright = found["upright"]
        limit = pixels.tolerance(thumbnail.size)
        self.findings.ok(upright <= limit, where, f"differs by {upright:.2f} from the picture, {limit} allowed")
        nearest = min(found, key=lambda name: found[name])
        self.findings.ok(upright <= found[nearest] + pixels.ALIKE, where, f"looks {nearest}")

    # What a rejected attachment must be.

    def _rejected(self, entry: Entry) -> None:
        """Its bytes are in quarantine and nowhere else."""
        where, ok = entry.where, self.findings
        stored = self._object(entry, self._cloud.quarantine, entry.original)
        published = sorted(key for key in self._processed if key.startswith(f"{entry.prefix}/"))
        ok.equal(published, [], where, "in the processed bucket")
        sent = self._sent.get(entry.value["name"])
        if sent is None:
            return
        if sent.expect:
            ok.equal(
                ("rejected", entry.value["rejection"]["code"]),
                (sent.expect["state"], sent.expect.get("code")),
                where,
                "the verdict",
            )
        if stored is not None:
            ok.equal(hashlib.sha256(stored.body).hexdigest(), sent.sha256, where, "SHA-256 of the bytes in quarantine")

    def _object(self, entry: Entry, bucket: str, key: str) -> StoredObject | None:
        stored = self._cloud.get(bucket, key)
        self.findings.ok(stored is not None, entry.where, f"no object {key} in {bucket}")
        return stored

    # The whole stack.

    def _nothing_else_anywhere(self) -> None:
        """The inbox is empty, and every object outside it is somebody's."""
        self.findings.equal(self._cloud.left(self._cloud.inbox, self._prefix), [], "inbox", "what is left")
        named: set[str] = set()
        for entry in self._entries:
            if entry.state == "ready":
                named.add(entry.value["original"]["key"])
                named |= {variant["key"] for variant in entry.value["variants"].values()}
        self.findings.equal(sorted(self._processed - named), [], "processed", "what no document names")
        known = tuple(f"{entry.prefix}/" for entry in self._entries)
        strangers = sorted(key for key in self._quarantine if not key.startswith(known))
        self.findings.equal(strangers, [], "quarantine", "what belongs to no attachment")

    # The report.

    def _report_agrees(self) -> None:
        """Each row of the report has its document, each file sent has its row, and the inbox count is right."""
        rows: list[Json] = self._report["files"]
        self.findings.equal(self._report["inboxLeft"], 0, "report", "inboxLeft")
        named = {row["name"] for row in rows}
        self.findings.equal(sorted(self._sent.keys() - named), [], "report", "files without a row")
        places = {(entry.item["room"], entry.item["seq"], entry.id): entry for entry in self._entries}
        for row in rows:
            where = f"report row {row['name']}"
            place = (self._report["room"], row["seq"], row["id"])
            entry = places.get(place)
            if self.findings.ok(entry is not None, where, f"no attachment {place}") and entry:
                self._row(where, row, entry)
            sent = self._sent.get(row["name"])
            if self.findings.ok(sent is not None, where, "is no file that was given to this check") and sent:
                self.findings.equal(row["bytes"], len(sent.data), where, "bytes")
            self.findings.ok(isinstance(row["millis"], int) and row["millis"] >= 0, where, f"millis is {row['millis']!r}")

    # The archive.

    def _archive_rebuilds(self) -> None:
        """The raw archive alone tells every message as the table has it, and the report counts the changes right."""
        room = self._prefix.rstrip("/")
        records = raw_archive.read(self._cloud, self.findings, room)
        rebuilt = raw_archive.rebuild(records, self.findings)
        exact = [item for item in self._cloud.exact_items() if item["SK"].startswith("MSG#")]
        stored = {(item["room"], int(item["seq"])): item for item in exact if item["PK"] == f"ROOM#{room}" or not room}
        self.findings.equal(sorted(rebuilt), sorted(stored), "archive", "which messages there are")
        for place, item in stored.items():
            self.findings.equal(rebuilt.get(place), item, f"archive, message {place[1]}", "the message")
        of_demo = sum(int(item["ver"]) for (of, _), item in stored.items() if of == self._report["room"])
        for count in ("changes", "pushes", "archived"):
            self.findings.equal(self._report[count], of_demo, "report", count)

    def _row(self, where: str, row: Json, entry: Entry) -> None:
        """One row says what its document says."""
        for name, value in _recorded(entry).items():
            self.findings.equal(row[name], value, where, name)


def _recorded(entry: Entry) -> Json:
    """What a document says, in the form of a row of the report."""
    value = entry.value
    facts = value.get("facts", {})
    return {
        "name": value.get("name"),
        "declared": value.get("declaredType"),
        "found": facts.get("type"),
        "bytes": value.get("size"),
        "state": value.get("state"),
        "rejection": value.get("rejection", {}).get("code"),
        "width": facts.get("width"),
        "height": facts.get("height"),
        "variants": {
            name: {part: variant[part] for part in ("type", "width", "height", "size")}
            for name, variant in value.get("variants", {}).items()
        },
    }


def sent_files(places: list[Path], manifest: list[Json]) -> dict[str, Sent]:
    """The files that went into the demo, by name."""
    expected = {entry["file"]: entry["expect"] for entry in manifest}
    paths = [path for place in places for path in (sorted(place.iterdir()) if place.is_dir() else [place])]
    return {path.name: Sent(path, path.read_bytes(), expected.get(path.name, {})) for path in paths if path.is_file()}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = stack_arguments(__doc__)
    parser.add_argument("--report", type=Path, required=True, help="the demo's report.json")
    parser.add_argument("--files", type=Path, nargs="+", required=True, help="files or folders that the demo sent")
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help="what must happen to the fixtures")
    parser.add_argument("--only-room", action="store_true", help="look at the demo's room alone")
    return parser.parse_args()


def main() -> int:
    """Check and sum up."""
    given = arguments()
    report: Any = json.loads(given.report.read_text(encoding="utf-8"))
    manifest = json.loads(given.manifest.read_text(encoding="utf-8"))
    cloud = Cloud(given.stack, given.region, given.endpoint_url)
    findings = Check(cloud, report, sent_files(given.files, manifest), given.only_room).run()
    return findings.sum_up()


if __name__ == "__main__":
    sys.exit(main())
