"""Broken files, made of the fixtures: cut, flipped, zeroed, spliced, lengthened, and with lengths that lie.

Nothing here is random: what is changed follows from the file's name, so that every run makes the same bytes.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

# Larger fixtures take time and say nothing more.
MAX_BYTES = 100_000
# How much of a file's beginning is taken for its header.
HEADER = 64
# Lengths are looked for in so many bytes from the beginning.
LENGTHS_IN = 4096
LIES = (0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF)


class Dice:
    """Numbers that follow from a name."""

    def __init__(self, name: str) -> None:
        """Begin at the name."""
        self.name, self.thrown = name, 0

    def below(self, end: int) -> int:
        """A number from 0 to before ``end``, which is at least 1."""
        self.thrown += 1
        digest = hashlib.sha256(f"{self.name}/{self.thrown}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % end


def cut(data: bytes, dice: Dice, _other: bytes) -> bytes:
    """Only a beginning."""
    return data[: 1 + dice.below(len(data) - 1)]


def beheaded(data: bytes, dice: Dice, _other: bytes) -> bytes:
    """The header, and then something is missing."""
    at = min(HEADER, len(data) // 2)
    return data[:at] + data[at + 1 + dice.below(len(data) - at) :]


def flipped(data: bytes, dice: Dice, _other: bytes) -> bytes:
    """A bit is another."""
    changed = bytearray(data)
    changed[dice.below(len(data))] ^= 1 << dice.below(8)
    return bytes(changed)


def scattered(data: bytes, dice: Dice, _other: bytes) -> bytes:
    """Bytes are others, one in a hundred and at least eight."""
    changed = bytearray(data)
    for _ in range(8 + len(data) // 100):
        changed[dice.below(len(data))] = dice.below(256)
    return bytes(changed)


def header_flipped(data: bytes, dice: Dice, _other: bytes) -> bytes:
    """Four bytes of the first 512, but not the first eight, are others."""
    changed = bytearray(data)
    for _ in range(4):
        changed[min(len(data) - 1, 8 + dice.below(504))] = dice.below(256)
    return bytes(changed)


def zeroed(data: bytes, dice: Dice, _other: bytes) -> bytes:
    """A range is nothing but zeros."""
    start = dice.below(len(data))
    length = 1 + dice.below(max(1, min(len(data) - start, len(data) // 4)))
    return data[:start] + bytes(length) + data[start + length :]


def spliced(data: bytes, _dice: Dice, other: bytes) -> bytes:
    """This one's header, and the rest of another file."""
    return data[:HEADER] + other[HEADER:]


def lengthened(data: bytes, dice: Dice, other: bytes) -> bytes:
    """Something comes after the end: zeros, itself, or a part of another file."""
    return data + (bytes(1000), data, other[:5000])[dice.below(3)]


def doubled(data: bytes, dice: Dice, _other: bytes) -> bytes:
    """A part comes twice."""
    start = dice.below(len(data))
    end = start + 1 + dice.below(len(data) - start)
    return data[:end] + data[start:]


def lying(data: bytes, dice: Dice, _other: bytes) -> bytes:
    """What may be a length, as a number of four bytes that fits into the file, is one that lies."""
    may_be = [
        (at, order)
        for at in range(4, min(len(data) - 4, LENGTHS_IN))
        for order in ("big", "little")
        if 8 <= int.from_bytes(data[at : at + 4], order) <= len(data)
    ]
    if not may_be:
        return flipped(data, dice, b"")
    at, order = may_be[dice.below(len(may_be))]
    return data[:at] + LIES[dice.below(len(LIES))].to_bytes(4, order) + data[at + 4 :]


HOW: tuple[tuple[Callable[[bytes, Dice, bytes], bytes], int], ...] = (
    (beheaded, 1),
    (cut, 2),
    (doubled, 1),
    (flipped, 1),
    (header_flipped, 2),
    (lengthened, 1),
    (lying, 3),
    (scattered, 1),
    (spliced, 1),
    (zeroed, 1),
)


def make(fixtures: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes, by name."""
    files = sorted(path for path in fixtures.iterdir() if 16 <= path.stat().st_size <= MAX_BYTES)
    for place, path in enumerate(files):
        data, other = path.read_bytes(), files[place - 1].read_bytes()
        for how, times in HOW:
            for turn in range(1, times + 1):
                name = f"{path.stem}/{how.__name__.replace('_', '-')}-{turn}{path.suffix}"
                yield name, how(data, Dice(name), other)
