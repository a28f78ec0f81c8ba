// Two people in two browsers.

import assert from "node:assert/strict";
import { eventually, send } from "../world.js";

const message = (page, text) => page.locator(".message").filter({ hasText: text });

export const chat = {
  async "two people see each other's messages at once"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "My lamp is broken.");
    await message(operator, "My lamp is broken.").waitFor();
    await send(operator, "I am sorry to hear that.");
    await message(customer, "I am sorry to hear that.").waitFor();
    assert.equal(await message(customer, "My lamp is broken.").getAttribute("class"), "message mine");
    assert.equal(await message(operator, "My lamp is broken.").getAttribute("class"), "message");
    // And a screen reader says so.
    await customer.locator("#announcements").filter({ hasText: "Support: I am sorry to hear that." }).waitFor({ state: "attached" });
  },

  async "an edited message changes on the other side and a deleted one goes"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "The order is 4711.");
    await message(operator, "The order is 4711.").waitFor();
    const mine = message(customer, "The order is 4711.");
    await mine.hover();
    await mine.getByRole("button", { name: "Edit this message" }).click();
    await customer.getByLabel("The message's text").fill("The order is 4712.");
    await customer.getByRole("button", { name: "Save" }).click();
    await message(operator, "The order is 4712.").filter({ hasText: "edited" }).waitFor();
    const edited = message(customer, "The order is 4712.");
    await edited.hover();
    await edited.getByRole("button", { name: "Delete this message" }).click();
    await customer.locator("#confirm").getByRole("button", { name: "Delete" }).click();
    await message(operator, "This message was deleted.").waitFor();
    assert.equal(await message(operator, "4712").count(), 0);
  },

  async "what people write is never markup"(world) {
    const { customer, operator } = await world.twoPeople();
    const text = '<img src=x onerror="document.title=1"><b>bold</b>';
    await send(customer, text);
    await message(operator, "bold").waitFor();
    assert.equal(await operator.locator(".message .text").innerText(), text);
    assert.equal(await operator.locator(".message .text *").count(), 0);
  },

  async "a page that was offline hears what it missed"(world) {
    const { customer, operator } = await world.twoPeople();
    await operator.locator('#desk[data-live="true"]').waitFor();
    await operator.context().setOffline(true);
    await operator.locator("#offline").waitFor();
    await send(customer, "Are you still there?");
    await message(customer, "Are you still there?").waitFor();
    await operator.context().setOffline(false);
    await message(operator, "Are you still there?").waitFor();
    await operator.locator("#offline").waitFor({ state: "hidden" });
    await send(customer, "Good.");
    await message(operator, "Good.").waitFor();
  },

  async "a page whose network has no WebSocket asks now and then"(world) {
    const { customer, operator } = await world.twoPeople();
    await operator.routeWebSocket(() => true, (socket) => socket.close());
    await operator.clock.install();
    await operator.reload();
    await operator.locator("#rooms [data-room]").click();
    await operator.locator("#offline").waitFor();
    await send(customer, "Do you hear me?");
    await message(customer, "Do you hear me?").waitFor();
    assert.equal(await message(operator, "Do you hear me?").count(), 0);
    await operator.clock.fastForward(16_000);
    await message(operator, "Do you hear me?").waitFor();
  },

  async "an operator sees who wrote last and what is unread"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "The first chat.");
    await message(operator, "The first chat.").waitFor();
    const stranger = await world.signedIn("stranger");
    await stranger.getByRole("button", { name: "Ask a question" }).click();
    await send(stranger, "The second chat.");
    await message(stranger, "The second chat.").waitFor();
    // The list of those who wait is not pushed. A page that comes back to the front asks for it.
    await operator.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await operator.locator("#waiting [data-room]").click();
    await message(operator, "The second chat.").waitFor();
    await send(customer, "Hello?");
    const rooms = operator.locator("#rooms li");
    await operator.locator("#rooms .unread").waitFor();
    assert.equal(await operator.locator("#rooms .unread").innerText(), "1");
    assert.equal(await rooms.first().locator(".unread").count(), 1, "the chat that was written in last is the first");
    assert.match(await operator.title(), /^\(1\)/);
    await rooms.first().getByRole("button").click();
    await message(operator, "Hello?").waitFor();
    await operator.locator("#rooms .unread").waitFor({ state: "detached" });
  },

  async "a closed chat can be read, and the customer can open another"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "Thank you, that is all.");
    await message(operator, "that is all").waitFor();
    await customer.getByRole("button", { name: "Close chat" }).click();
    await customer.locator("#confirm").getByRole("button", { name: "Close chat" }).click();
    await customer.getByText("This chat is closed.").waitFor();
    await message(customer, "that is all").waitFor();
    await customer.getByRole("button", { name: "Ask something else" }).click();
    await customer.locator("#compose").waitFor();
    await eventually("the new chat is empty", async () => (await customer.locator(".message").count()) === 0);
  },

  async "a reload does not sign out, signing out does"(world) {
    const { customer } = await world.twoPeople();
    await send(customer, "Still here.");
    await message(customer, "Still here.").waitFor();
    await customer.reload();
    await message(customer, "Still here.").waitFor();
    await customer.getByRole("button", { name: "Sign out" }).click();
    await customer.locator("#sign-in-form").waitFor();
    await customer.reload();
    await customer.locator("#sign-in-form").waitFor();
    assert.equal(await customer.evaluate(() => sessionStorage.length), 0);
  },

  async "an access token that has ended is renewed without a word"(world) {
    const { customer, operator } = await world.twoPeople();
    const ended = { status: 401, contentType: "application/problem+json", json: { code: "unauthenticated", detail: "…" } };
    await customer.route(/\/messages$/, (route) => route.fulfill(ended), { times: 1 });
    await send(customer, "An hour later.");
    await message(operator, "An hour later.").waitFor();
    assert.equal(await customer.locator("#problem").isVisible(), false);
  },

  async "what is half written stays with its chat"(world) {
    const { customer, operator } = await world.twoPeople();
    await (await world.client("stranger")).call("POST", "/v1/rooms", {});
    await operator.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await operator.fill("#text", "Half a sentence");
    await operator.locator("#waiting [data-room]").click();
    await eventually("the other chat has nothing written", async () => (await operator.inputValue("#text")) === "");
    await operator.locator('#rooms [data-room][aria-current="false"]').click();
    await eventually("it is still there", async () => (await operator.inputValue("#text")) === "Half a sentence");
    await operator.press("#text", "Enter");
    await message(customer, "Half a sentence").waitFor();
  },

  async "an operator hands a chat over to a colleague"(world) {
    const { operator } = await world.twoPeople();
    const colleague = "0b3ac1de-0000-4000-8000-000000000000";
    const answers = [
      { status: 422, contentType: "application/problem+json", json: { code: "invalid-request", detail: "There is no such operator." } },
      { json: { room: "r", customer: "c", status: "open", operator: colleague } },
    ];
    let asked;
    // What the API answers is tested with the API; here is how the page asks and what it makes of the answer.
    await operator.route(/\/operator$/, (route) => {
      asked = route.request().postDataJSON();
      return route.fulfill(answers.shift());
    });
    await operator.getByRole("button", { name: "Transfer …" }).click();
    const dialog = operator.locator("#transfer");
    await dialog.getByLabel("Your colleague's id").fill(colleague);
    await dialog.getByRole("button", { name: "Transfer", exact: true }).click();
    await dialog.getByText("There is no such operator.").waitFor();
    await dialog.getByRole("button", { name: "Transfer", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.deepEqual(asked, { operator: colleague });
    await operator.getByText("Choose a chat, or take one that waits.").waitFor();
  },

  async "a wrong password is answered in words"(world) {
    const page = await world.window();
    await page.getByLabel("Name").fill("customer");
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: /\w/ }).first().waitFor();
    assert.equal(await page.locator("#desk").isVisible(), false);
  },
};
