"""A small baseline encoder, for what Pillow does not write: any sampling, any scans, and odd bytes in between."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

ZIGZAG = sorted(range(64), key=lambda at: (at // 8 + at % 8, at // 8 if (at // 8 + at % 8) % 2 else at % 8))

# One sequence of a block's 64 numbers, in zigzag order.
Block = list[int]
# The counts of codes by length, and the symbols in the order of their codes: a DHT segment's table.
Table = tuple[bytes, bytes]


@dataclass(frozen=True)
class Component:
    """A component's samples, and how they are written."""

    width: int
    height: int
    samples: bytes
    sampling: tuple[int, int] = (1, 1)
    steps: tuple[int, ...] = (1,) * 64
    tables: int = 0


@dataclass(frozen=True)
class Layout:
    """How a file is put together."""

    # The components of each scan; None for one scan of all.
    scans: tuple[tuple[int, ...], ...] | None = None
    restart_interval: int = 0
    wide_steps: bool = False
    huffman: bool = True
    # Other tables before the second scan and those after it: the same codes with their symbols in another order.
    redefine: bool = False
    # Before each marker but the first.
    fill: bytes = b""
    # Segments before each scan.
    between: bytes = b""
    frame: int = 0xC0
    identifiers: tuple[int, ...] = field(default=(1, 2, 3, 4))


def segment(marker: int, body: bytes) -> bytes:
    """A marker with its length and body."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def _transform(block: Sequence[float]) -> list[float]:
    """The forward DCT of T.81, A.3.3, by its definition, down and then across."""

    def once(line: Sequence[float]) -> list[float]:
        return [
            (math.sqrt(0.5) if u == 0 else 1.0)
            / 2
            * sum(value * math.cos((2 * x + 1) * u * math.pi / 16) for x, value in enumerate(line))
            for u in range(8)
        ]

    columns = [once(block[column::8]) for column in range(8)]
    rows = [once([columns[column][v] for column in range(8)]) for v in range(8)]
    return [value for row in rows for value in row]


def blocks(component: Component) -> tuple[int, int, list[Block]]:
    """The quantized blocks, with how many are across and down. What is beyond the edge repeats it."""
    across, down = -(-component.width // 8), -(-component.height // 8)
    found = []
    for row in range(down):
        for column in range(across):
            samples = [
                component.samples[
                    min(row * 8 + y, component.height - 1) * component.width + min(column * 8 + x, component.width - 1)
                ]
                - 128
                for y in range(8)
                for x in range(8)
            ]
            values = _transform(samples)
            found.append([round(values[at] / component.steps[place]) for place, at in enumerate(ZIGZAG)])
    return across, down, found


def _codes(table: Table) -> dict[int, tuple[int, int]]:
    """The length and the code of each symbol (T.81, annex C)."""
    codes, code, place = {}, 0, 0
    for length, count in enumerate(table[0], 1):
        for symbol in table[1][place : place + count]:
            codes[symbol] = (length, code)
            code += 1
        place += count
        code <<= 1
    return codes


class _Bits:
    """Bits on their way into a scan."""

    def __init__(self) -> None:
        self.text: list[str] = []

    def put(self, length: int, value: int) -> None:
        if length:
            self.text.append(f"{value:0{length}b}")

    def signed(self, value: int) -> None:
        size = abs(value).bit_length()
        self.put(size, value if value > 0 else value + (1 << size) - 1)

    def close(self) -> bytes:
        text = "".join(self.text)
        text += "1" * (-len(text) % 8)
        return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8)).replace(b"\xff", b"\xff\0")


def _block(bits: _Bits, block: Block, before: int, dc: dict, ac: dict) -> None:
    size = abs(block[0] - before).bit_length()
    bits.put(*dc[size])
    bits.signed(block[0] - before)
    run = 0
    for value in block[1:]:
        if value == 0:
            run += 1
            continue
        while run > 15:
            bits.put(*ac[0xF0])
            run -= 16
        bits.put(*ac[run << 4 | abs(value).bit_length()])
        bits.signed(value)
        run = 0
    if run:
        bits.put(*ac[0])


def _units(components: Sequence[Component], numbers: Sequence[int]) -> Iterable[list[tuple[int, Block]]]:
    """The minimum coded units of a scan: alone, a component comes block by block (T.81, A.2)."""
    made = {number: blocks(components[number]) for number in numbers}
    if len(numbers) == 1:
        yield from ([(numbers[0], block)] for block in made[numbers[0]][2])
        return
    high = [max(component.sampling[way] for component in components) for way in (0, 1)]
    # A component's size is rounded up, so the picture's is what its fullest component says.
    full = next(component for component in components if component.sampling == tuple(high))
    size = (full.width, full.height)
    for row in range(-(-size[1] // (8 * high[1]))):
        for column in range(-(-size[0] // (8 * high[0]))):
            unit = []
            for number in numbers:
                across, down, found = made[number]
                wide, tall = components[number].sampling
                for y in range(row * tall, row * tall + tall):
                    for x in range(column * wide, column * wide + wide):
                        unit.append((number, found[min(y, down - 1) * across + min(x, across - 1)]))
            yield unit


def _scan(components: Sequence[Component], numbers: Sequence[int], tables: dict[int, Table], restart_interval: int) -> bytes:
    codes = {kind: _codes(table) for kind, table in tables.items()}
    written, bits, before = b"", _Bits(), dict.fromkeys(numbers, 0)
    for place, unit in enumerate(_units(components, numbers)):
        if restart_interval and place and place % restart_interval == 0:
            written += bits.close() + bytes((0xFF, 0xD0 + (place // restart_interval - 1) % 8))
            bits, before = _Bits(), dict.fromkeys(numbers, 0)
        for number, block in unit:
            table = components[number].tables
            _block(bits, block, before[number], codes[table], codes[0x10 + table])
            before[number] = block[0]
    return written + bits.close()


def encode(width: int, height: int, components: Sequence[Component], tables: dict[int, Table], layout: Layout) -> bytes:
    """A whole file. ``tables`` are keyed as in a DHT segment: 0 and 1 for first coefficients, 16 and 17 for others."""
    parts = [b"\xff\xd8"]
    for number, steps in enumerate(dict.fromkeys(component.steps for component in components)):
        body = b"".join(step.to_bytes(2 if layout.wide_steps else 1, "big") for step in steps)
        parts.append(segment(0xDB, bytes(((0x10 if layout.wide_steps else 0) + number,)) + body))
    quantizations = list(dict.fromkeys(component.steps for component in components))
    frame = bytes((8,)) + height.to_bytes(2, "big") + width.to_bytes(2, "big") + bytes((len(components),))
    for identifier, component in zip(layout.identifiers, components, strict=False):
        wide, tall = component.sampling
        frame += bytes((identifier, wide << 4 | tall, quantizations.index(component.steps)))
    parts.append(segment(layout.frame, frame))
    if layout.restart_interval:
        parts.append(segment(0xDD, layout.restart_interval.to_bytes(2, "big")))
    for place, numbers in enumerate(layout.scans or (tuple(range(len(components))),)):
        if layout.redefine and place == 1:
            tables = {kind: (counts, symbols[::-1]) for kind, (counts, symbols) in tables.items()}
        if layout.huffman and (place == 0 or layout.redefine):
            parts += [segment(0xC4, bytes((kind,)) + counts + symbols) for kind, (counts, symbols) in tables.items()]
        if layout.between:
            parts.append(layout.between)
        header = bytes((len(numbers),))
        for number in numbers:
            header += bytes((layout.identifiers[number], components[number].tables * 0x11))
        parts.append(segment(0xDA, header + b"\0\x3f\0") + _scan(components, numbers, tables, layout.restart_interval))
    parts.append(b"\xff\xd9")
    return layout.fill.join(parts)
