// The chat page in a real browser, with the whole system behind it: `make test-web`. One local cloud serves all cases.

import { after, afterEach, before, describe, test } from "node:test";
import { accessibility } from "./cases/accessibility.js";
import { chat } from "./cases/chat.js";
import { files } from "./cases/files.js";
import { keyboard } from "./cases/keyboard.js";
import { large } from "./cases/large.js";
import { looks } from "./cases/looks.js";
import { World } from "./world.js";

const CASE_MILLIS = 120_000;

let world;
before(async () => { world = await World.start(); }, { timeout: 180_000 });
after(() => world?.end());
afterEach(() => world.tidy());

for (const [name, cases] of Object.entries({ chat, files, large, keyboard, accessibility, looks })) {
  describe(name, () => {
    for (const [title, run] of Object.entries(cases)) test(title, { timeout: CASE_MILLIS }, () => run(world));
  });
}
