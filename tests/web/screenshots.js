// Takes screenshots into target/web/ and compares them with those in docs/screenshots/ that people looked at.
//
// Fonts differ between machines, so letters are not compared. Both pictures are shrunk until only areas are left; their
// brightness must be nearly the same, and must go up and down together. UPDATE_SCREENSHOTS=1 keeps the new ones instead.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./stack.js";

const TAKEN = join(ROOT, "target/web");
const KEPT = join(ROOT, "docs/screenshots");
const KEPT_NAMES = new Set(["desktop-light", "desktop-dark", "phone-light", "phone-dark"]);
// Cells across; down as many as keep them square.
const CELLS = 24;
// Of 255 levels of brightness, on average over the cells. Even letters of one width stay within both bounds (21 and 0.74); another
// screen is far outside (38 and -0.1).
const MOST_DIFFERENT = 24;
const LEAST_ALIKE = 0.6;

/** Takes a screenshot and fails if one is kept under its name and looks different. */
export async function compared(world, page, name, { save = name } = {}) {
  await settle(page);
  mkdirSync(TAKEN, { recursive: true });
  const taken = await page.screenshot({ path: join(TAKEN, `${save}.png`), caret: "hide" });
  if (!KEPT_NAMES.has(name)) return;
  const path = join(KEPT, `${name}.png`);
  if (process.env.UPDATE_SCREENSHOTS && save === name) {
    mkdirSync(KEPT, { recursive: true });
    writeFileSync(path, taken);
    return;
  }
  assert.ok(existsSync(path), `${path} is missing: look at target/web/${save}.png, then run this with UPDATE_SCREENSHOTS=1`);
  const [now, before] = await brightness(world, [taken, readFileSync(path)]);
  assert.deepEqual([now.width, now.height], [before.width, before.height], `${save}: the size`);
  const different = mean(now.cells.map((cell, index) => Math.abs(cell - before.cells[index])));
  const alike = correlation(now.cells, before.cells);
  assert.ok(
    different <= MOST_DIFFERENT && alike >= LEAST_ALIKE,
    `target/web/${save}.png does not look like docs/screenshots/${name}.png: ${different.toFixed(1)} levels apart (at most ` +
      `${MOST_DIFFERENT}), alike ${alike.toFixed(2)} (at least ${LEAST_ALIKE}). If it should, run this with UPDATE_SCREENSHOTS=1.`,
  );
}

/** What differs from run to run is made the same. */
async function settle(page) {
  await page.evaluate(async () => {
    for (const node of document.querySelectorAll(".when")) {
      if (/\d:\d\d/.test(node.textContent)) node.textContent = "10:24";
    }
    for (const node of document.querySelectorAll(".title, #room-title")) {
      node.textContent = node.textContent.replace(/^Customer \w+$/, "Customer 1a2b3c");
    }
    await document.fonts.ready;
    await Promise.all([...document.images].filter(({ src }) => src).map((image) => image.decode().catch(() => {})));
  });
}

/** The brightness of each cell, worked out by the browser: it can read PNG. */
async function brightness(world, pictures) {
  const context = await world.browser.newContext();
  try {
    const page = await context.newPage();
    return await page.evaluate(async ([sources, across]) => Promise.all(sources.map(async (base64) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const { width, height } = image;
      const down = Math.round((across * height) / width);
      const canvas = new OffscreenCanvas(width, height);
      const drawing = canvas.getContext("2d");
      drawing.drawImage(image, 0, 0);
      const { data } = drawing.getImageData(0, 0, width, height);
      const sums = new Float64Array(across * down);
      const counts = new Float64Array(across * down);
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
          const cell = Math.floor((y * down) / height) * across + Math.floor((x * across) / width);
          const at = (y * width + x) * 4;
          sums[cell] += 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
          counts[cell] += 1;
        }
      }
      return { width, height, cells: Array.from(sums, (sum, cell) => sum / counts[cell]) };
    })), [pictures.map((picture) => picture.toString("base64")), CELLS]);
  } finally {
    await context.close();
  }
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** 1 for what goes up and down together, 0 for what has nothing to do with each other. */
function correlation(a, b) {
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((value, index) => (value - meanA) * (b[index] - meanB)));
  const deviation = (values, middle) => Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
  const scale = deviation(a, meanA) * deviation(b, meanB);
  return scale ? covariance / scale : Number(meanA === meanB);
}
