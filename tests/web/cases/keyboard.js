// The whole way without a mouse.

import assert from "node:assert/strict";
import { fixture, inState, send } from "../world.js";

/** Presses `key` until what has the focus matches `selector`. */
async function walk(page, key, selector) {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${key} does not lead to ${selector}`);
}

/** Whether the focus can be seen. */
async function outlined(page) {
  return page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");
}

export const keyboard = {
  async "a person signs in, asks, writes, looks at a picture and closes it by keyboard alone"(world) {
    await world.closeAll();
    const page = await world.window();
    await page.locator("#sign-in-form").waitFor();
    await walk(page, "Tab", 'input[name="user"]');
    await page.keyboard.type("customer");
    await walk(page, "Tab", 'input[name="password"]');
    await page.keyboard.type(world.person("customer").password);
    await page.keyboard.press("Enter");
    await page.locator("#open-room").waitFor();
    await walk(page, "Tab", "#open-room");
    assert.ok(await outlined(page));
    await page.keyboard.press("Enter");
    await page.locator("#compose").waitFor();
    await walk(page, "Tab", "#text");
    await page.keyboard.type("By keyboard.");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("Two lines.");
    await page.keyboard.press("Enter");
    await page.locator(".message").filter({ hasText: "By keyboard.\nTwo lines." }).waitFor();

    // A file dialog belongs to the system; what was chosen in it is on the page.
    await send(page, "", [fixture("phone-12mp.jpg"), fixture("grayscale.jpg")]);
    for (const name of ["phone-12mp.jpg", "grayscale.jpg"]) await inState(page, name, "ready");
    await page.focus("#text");
    await walk(page, "Shift+Tab", "button.frame");
    assert.ok(await outlined(page));
    const opener = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    assert.equal(opener, "Look at grayscale.jpg");
    await page.keyboard.press("Enter");
    await page.locator("#lightbox[open] .picture.loaded").waitFor();
    assert.equal(await page.locator("#lightbox-name").innerText(), "grayscale.jpg");
    await page.keyboard.press("ArrowLeft");
    await page.locator("#lightbox-name").filter({ hasText: "phone-12mp.jpg" }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowRight");
    await page.locator("#lightbox-name").filter({ hasText: "grayscale.jpg" }).waitFor();
    for (let presses = 0; presses < 8; presses += 1) {
      await page.keyboard.press("Tab");
      assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("#lightbox")), "the focus stays in the lightbox");
    }
    await page.keyboard.press("Escape");
    await page.locator("#lightbox").waitFor({ state: "hidden" });
    await page.waitForFunction(() => document.activeElement.getAttribute("aria-label") === "Look at grayscale.jpg");

    // Own messages can be edited and deleted without a mouse too.
    await page.focus("#text");
    await walk(page, "Shift+Tab", '.message:first-of-type [data-action="edit"], .message [data-action="edit"]');
    await page.keyboard.press("Enter");
    await page.keyboard.type("A caption.");
    await page.keyboard.press("Enter");
    await page.locator(".message").filter({ hasText: "A caption." }).waitFor();
  },

  async "an operator takes a chat by keyboard and the focus stays where it was when news come"(world) {
    await world.closeAll();
    const customer = await world.signedIn("customer");
    await customer.getByRole("button", { name: "Ask a question" }).click();
    await customer.locator("#compose").waitFor();
    const operator = await world.signedIn("operator");
    await operator.locator("#waiting [data-room]").waitFor();
    await walk(operator, "Tab", "#waiting [data-room]");
    await operator.keyboard.press("Enter");
    await operator.locator("#compose").waitFor();
    await walk(operator, "Shift+Tab", "#rooms [data-room]");
    await send(customer, "News.");
    await operator.locator(".message").filter({ hasText: "News." }).waitFor();
    assert.ok(await operator.evaluate(() => document.activeElement.matches("#rooms [data-room]")));
  },
};
