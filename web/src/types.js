// What a content type is for people: an icon, a word, and whether this browser can draw it from the file itself.

const KINDS = [
  [/^image\//, "picture", "Picture"],
  [/^video\//, "film", "Video"],
  [/^audio\//, "sound", "Sound"],
  [/pdf$/, "text", "PDF"],
  [/(zip|tar|gzip|7z|rar|java-archive)/, "archive", "Archive"],
  [/(spreadsheet|excel|csv)/, "sheet", "Table"],
  [/(word|opendocument\.text|rtf)/, "text", "Document"],
  [/^text\/|json$|xml$/, "text", "Text"],
];

/** @param {string | undefined} type */
export function kind(type = "") {
  const [, iconName, word] = KINDS.find(([pattern]) => pattern.test(type)) ?? [undefined, "file", "File"];
  return { icon: iconName, word };
}

const DRAWN = new Set(["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"]);

/** Whether the sender's own browser can show this file before it is uploaded. SVG is not among them: it is a document. */
export function drawnLocally(file) {
  return DRAWN.has(file.type) && file.size <= 32 * 1024 * 1024;
}
