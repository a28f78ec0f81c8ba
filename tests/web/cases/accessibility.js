// axe looks at each screen in both themes: nothing serious, nothing critical.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { PHONE, fixture, inState, send } from "../world.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

async function check(page, where) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const found = grave.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(found, [], `axe on ${where}`);
}

async function checkAll(world, colorScheme) {
  // What is fading in has not its colours yet.
  const options = { colorScheme, reducedMotion: "reduce" };
  const signIn = await world.window(options);
  await signIn.locator("#sign-in-form").waitFor();
  await check(signIn, "signing in");
  const { customer, operator } = await world.twoPeople({ customer: { ...options, viewport: PHONE }, operator: options });
  await send(customer, "Hello, here are some files.", [
    fixture("phone-12mp.jpg"), fixture("page.pdf"), fixture("text-named.png"),
  ]);
  await inState(operator, "phone-12mp.jpg", "ready");
  await inState(operator, "page.pdf", "ready");
  await inState(operator, "text-named.png", "rejected");
  await send(operator, "Thank you.");
  await customer.locator(".message").filter({ hasText: "Thank you." }).waitFor();
  await inState(customer, "page.pdf", "ready");
  await customer.setInputFiles("#picker", [fixture("note.txt")]);
  await check(customer, "the customer's chat");
  await check(operator, "the operator's desk");
  await operator.getByRole("button", { name: "Transfer …" }).click();
  await check(operator, "the question for a colleague");
  await operator.keyboard.press("Escape");
  await operator.locator("button.frame").first().click();
  await operator.locator("#lightbox[open] .picture.loaded").waitFor();
  await check(operator, "the lightbox");
}

export const accessibility = {
  "axe finds nothing serious in the light theme": (world) => checkAll(world, "light"),
  "axe finds nothing serious in the dark theme": (world) => checkAll(world, "dark"),
};
