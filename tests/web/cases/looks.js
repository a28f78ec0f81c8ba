// How the page looks: its layout by measuring, its pictures by comparing them with those that were looked at before.

import assert from "node:assert/strict";
import { join } from "node:path";
import { compared } from "../screenshots.js";
import { ROOT } from "../stack.js";
import { DESKTOP, PHONE, eventually, fixture, inState, send } from "../world.js";

/** What holds on every screen with a chat. */
async function assertLayout(page, viewport) {
  const { composer, list, overflow, wide } = await page.evaluate(() => {
    const box = (id) => document.getElementById(id).getBoundingClientRect().toJSON();
    const scroller = document.getElementById("scroller");
    return {
      composer: box("compose"),
      list: { ...box("scroller"), scrolls: scroller.scrollHeight > scroller.clientHeight, atEnd: scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 2 },
      overflow: [document.documentElement, document.body, scroller].map((node) => node.scrollWidth - node.clientWidth),
      wide: [...document.querySelectorAll("#room *")]
        .filter((node) => node.getClientRects().length && node.getBoundingClientRect().right > innerWidth + 1)
        .map(({ tagName, id, className }) => `${tagName}#${id}.${className}`),
    };
  });
  assert.deepEqual(overflow, [0, 0, 0], "nothing scrolls sideways");
  assert.deepEqual(wide, [], "nothing sticks out");
  assert.ok(composer.top >= 0 && composer.bottom <= viewport.height + 1, "the composer is in sight");
  assert.ok(list.height >= 200, "the messages have room");
  assert.ok(list.scrolls, "the messages scroll");
  assert.ok(list.atEnd, "the newest message is in sight");
}

async function aChat(world, colorScheme) {
  const options = { colorScheme, reducedMotion: "reduce" };
  const { customer, operator } = await world.twoPeople({
    customer: { ...options, viewport: PHONE, hasTouch: true },
    operator: { ...options, viewport: DESKTOP },
  });
  await send(customer, "Hello, the parcel arrived this morning, but one of the two lamps is broken.");
  await operator.locator(".message").waitFor();
  await send(operator, "I am sorry to hear that. Could you send me a photo of it?");
  await customer.locator(".message:not(.mine)").waitFor();
  await send(customer, "Of course.", [fixture("phone-12mp.jpg"), fixture("screenshot-4k.png"), fixture("page.pdf"), fixture("text-named.png")]);
  for (const page of [customer, operator]) {
    for (const name of ["phone-12mp.jpg", "screenshot-4k.png", "page.pdf"]) await inState(page, name, "ready");
    await inState(page, "text-named.png", "rejected");
    await eventually("all thumbnails are drawn", async () => (await page.locator("img.picture.loaded").count()) === 3);
  }
  await send(operator, "Thank you, I can see it clearly. A new lamp is on its way to you.");
  await customer.locator(".message:not(.mine)").nth(1).waitFor();
  for (const page of [customer, operator]) await eventually("it is at the end", () => isAtEnd(page));
  return { customer, operator };
}

/** Whether the newest message is in sight. The list follows what changes its size a frame later. */
function isAtEnd(page) {
  return page.evaluate(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.getElementById("scroller");
    return scrollHeight > 0 && scrollHeight - scrollTop - clientHeight < 2;
  });
}

async function look(world, colorScheme) {
  const { customer, operator } = await aChat(world, colorScheme);
  await assertLayout(customer, PHONE);
  await assertLayout(operator, DESKTOP);
  await compared(world, customer, `phone-${colorScheme}`);
  await compared(world, operator, `desktop-${colorScheme}`);
  // The other way round: an operator's phone shows the list or the chat, and a customer's desktop the chat alone.
  await operator.setViewportSize(PHONE);
  await eventually("the list follows", () => isAtEnd(operator));
  await assertLayout(operator, PHONE);
  assert.equal(await operator.locator("nav").isVisible(), false);
  await operator.getByRole("button", { name: "Back to the chats" }).click();
  await operator.locator("nav").waitFor();
  assert.equal(await operator.locator("#room").isVisible(), false);
  await compared(world, operator, `phone-list-${colorScheme}`);
  await operator.locator("#rooms [data-room]").click();
  await operator.locator("#compose").waitFor();
  await operator.setViewportSize(DESKTOP);
  await operator.locator("button.frame").first().click();
  await operator.locator("#lightbox[open] .picture.loaded").waitFor();
  await compared(world, operator, `lightbox-${colorScheme}`);
}

export const looks = {
  "phone and desktop in the light theme": (world) => look(world, "light"),
  "phone and desktop in the dark theme": (world) => look(world, "dark"),

  async "the built page may lie in any folder of any host"(world) {
    const page = await world.window();
    const dist = join(ROOT, "web/dist");
    await page.route("http://elsewhere.test/a/folder/**", (route) => {
      const name = new URL(route.request().url()).pathname.replace("/a/folder/", "") || "index.html";
      if (name === "config.json") return route.fulfill({ json: { apiUrl: "", signInUrl: "http://elsewhere.test/", clientId: "c" } });
      return route.fulfill({ path: join(dist, name) });
    });
    await page.goto("http://elsewhere.test/a/folder/");
    await page.locator("#sign-in-form").waitFor();
    assert.equal(await page.locator("#people").isVisible(), false, "nobody is offered where there are no demo people");
    assert.notEqual(await page.locator("#sign-in-form button").evaluate((button) => getComputedStyle(button).backgroundColor), "rgba(0, 0, 0, 0)");
  },

  async "a comparison tells two screens apart"(world) {
    const page = await world.window({ viewport: PHONE });
    await page.locator("#sign-in-form").waitFor();
    await assert.rejects(compared(world, page, "phone-light", { save: "sign-in" }), /does not look like/);
  },
};
