/** A file's bytes: the same in the page and in the test, different from part to part, and text where text is promised. */
export function bytes({ size, type }) {
  const [first, different] = type.startsWith("text/") ? [32, 95] : [0, 251];
  return Uint8Array.from({ length: size }, (_, at) => first + ((at * 31 + Math.floor(at / 4099)) % different));
}
