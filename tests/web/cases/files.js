// Files that are dropped, pasted and picked, and what becomes of them on both sides.

import assert from "node:assert/strict";
import { attachment, drop, eventually, fixture, inState, send } from "../world.js";

/** Keeps hold of the sounds of a page, which are in no document, and lets them go on for ever. */
function hearSounds(page) {
  return page.evaluate(() => {
    const Made = window.Audio;
    window.sounds = [];
    window.Audio = function Audio() {
      const sound = new Made();
      sound.loop = true;
      window.sounds.push(sound);
      return sound;
    };
  });
}

/** How many sounds a page has, how many of them play, and how many have a file. */
function heard(page) {
  return page.evaluate(() => {
    const count = (condition) => window.sounds.filter(condition).length;
    return { all: window.sounds.length, playing: count((sound) => !sound.paused), loaded: count((sound) => sound.hasAttribute("src")) };
  });
}

const isDownload = (url) => /\/attachments\/[^/]+$/.test(url.pathname);

export const files = {
  async "several dropped files arrive with thumbnails on the other side"(world) {
    const { customer, operator } = await world.twoPeople();
    const dropped = [
      fixture("phone-12mp.jpg"),
      fixture("screenshot-4k.png"),
      fixture("animated.gif"),
      fixture("report.pdf"),
      fixture("film-faststart.mp4"),
      fixture("phone-grid.heic"),
      fixture("voice.ogg"),
      fixture("letter.docx"),
      fixture("privet.txt"),
    ];
    await drop(customer, "#room", dropped);
    assert.equal(await customer.locator("#chosen li").count(), dropped.length);
    await customer.fill("#text", "Here is everything.");
    await customer.click("#send");
    // The message is there before its files are.
    await operator.locator(".message").filter({ hasText: "Here is everything." }).waitFor();
    assert.equal(await operator.locator(".attachment").count(), dropped.length);
    for (const page of [customer, operator]) {
      for (const { name } of dropped) await inState(page, name, "ready");
      for (const name of ["phone-12mp.jpg", "screenshot-4k.png", "animated.gif", "report.pdf", "film-faststart.mp4", "phone-grid.heic"]) {
        const picture = attachment(page, name).locator("img.picture.loaded");
        await picture.waitFor();
        assert.ok(await picture.evaluate((image) => image.naturalWidth > 0), `${name} is drawn`);
        assert.match(await picture.getAttribute("srcset"), / \d+w/);
      }
    }
    const says = async (name, what) => assert.match((await attachment(operator, name).innerText()).replaceAll("\u00a0", " "), what);
    await says("report.pdf", /PDF · 3 pages · [\d.]+ k?B?/);
    await says("film-faststart.mp4", /Video · 0:02 · 44\.8 kB/);
    await says("voice.ogg", /Sound · 0:03 · 9\.7 kB/);
    await says("letter.docx", /Document · /);
    await says("privet.txt", /Здравствуйте! Посылка пришла/);
    const alternative = (name) => attachment(operator, name).locator("img").getAttribute("alt");
    assert.equal(await alternative("report.pdf"), "First page of report.pdf, PDF, 3 pages");
    assert.equal(await alternative("film-faststart.mp4"), "A picture from film-faststart.mp4, Video, 0:02");
    for (const name of ["voice.ogg", "letter.docx", "privet.txt"]) {
      assert.equal(await attachment(operator, name).locator("img").count(), 0);
      assert.equal(await attachment(operator, name).locator(".kind svg").count(), 1, `${name} has an icon`);
    }
    const bars = await attachment(operator, "voice.ogg").locator(".wave .ahead path").getAttribute("d");
    assert.equal(bars.split("M").length - 1, 100, "a bar for each point of the waveform");
  },

  async "a sound and a film play in place"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "Listen and look.", [fixture("voice.ogg"), fixture("film-faststart.mp4")]);
    for (const name of ["voice.ogg", "film-faststart.mp4"]) await inState(operator, name, "ready");
    const voice = attachment(operator, "voice.ogg");
    await voice.getByRole("button", { name: "Play voice.ogg" }).click();
    await eventually("it is heard", async () => Number(await voice.locator(".seek").inputValue()) > 0);
    await attachment(operator, "film-faststart.mp4").locator("button.frame").click();
    await operator.locator("#lightbox").getByRole("button", { name: "Play film-faststart.mp4" }).click();
    await eventually("it is seen", () => operator.locator("#lightbox video").evaluate((film) => film.currentTime > 0));
  },

  async "the arrows on a film that plays do not leave it"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "", [fixture("film-faststart.mp4"), fixture("tiny.jpg")]);
    for (const name of ["film-faststart.mp4", "tiny.jpg"]) await inState(operator, name, "ready");
    await attachment(operator, "film-faststart.mp4").locator("button.frame").click();
    await operator.locator("#lightbox").getByRole("button", { name: "Play film-faststart.mp4" }).click();
    const film = operator.locator("#lightbox video");
    await eventually("it has the focus", () => film.evaluate((video) => video === document.activeElement));
    await operator.keyboard.press("ArrowRight");
    assert.equal(await film.count(), 1);
    assert.equal(await operator.locator("#lightbox-name").innerText(), "film-faststart.mp4");
    await operator.locator("#lightbox-next").focus();
    await operator.keyboard.press("ArrowRight");
    await operator.locator("#lightbox-name").filter({ hasText: "tiny.jpg" }).waitFor();
    await operator.keyboard.press("Escape");
    await operator.locator("#lightbox").waitFor({ state: "hidden" });
  },

  async "a sound ends with its attachment and with its message, even one that was only asked for"(world) {
    const { customer, operator } = await world.twoPeople();
    await hearSounds(operator);
    await send(customer, "Listen.", [fixture("voice.ogg"), fixture("song.mp3"), fixture("swell-cbr.mp3")]);
    for (const name of ["voice.ogg", "song.mp3", "swell-cbr.mp3"]) await inState(operator, name, "ready");
    const start = (name) => attachment(operator, name).getByRole("button", { name: `Play ${name}` }).click();
    const remove = async (name) => {
      await attachment(customer, name).getByRole("button", { name: `Remove ${name}` }).click();
      await customer.locator("#confirm").getByRole("button", { name: "Remove" }).click();
    };
    await start("voice.ogg");
    await eventually("it is heard", async () => (await heard(operator)).playing === 1);
    await remove("voice.ogg");
    await operator.locator('.attachment[data-state="removed"]').waitFor();
    assert.deepEqual(await heard(operator), { all: 3, playing: 0, loaded: 0 });

    // Its URL comes when it is gone already.
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    let asked = false;
    await operator.route(isDownload, async (route) => {
      const response = await route.fetch();
      asked = true;
      await held;
      await route.fulfill({ response });
    }, { times: 1 });
    await start("song.mp3");
    await eventually("its URL is asked for", () => asked);
    await remove("song.mp3");
    await operator.locator('.attachment[data-state="removed"]').nth(1).waitFor();
    const answered = operator.waitForResponse((response) => isDownload(new URL(response.url())));
    release();
    await (await answered).finished();
    // The page has had its turn with the answer.
    await operator.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 200); }));
    assert.deepEqual(await heard(operator), { all: 3, playing: 0, loaded: 0 });

    await start("swell-cbr.mp3");
    await eventually("it is heard", async () => (await heard(operator)).playing === 1);
    const mine = customer.locator(".message").filter({ hasText: "Listen." });
    await mine.hover();
    await mine.getByRole("button", { name: "Delete this message" }).click();
    await customer.locator("#confirm").getByRole("button", { name: "Delete" }).click();
    await operator.locator(".message.deleted").waitFor();
    assert.deepEqual(await heard(operator), { all: 3, playing: 0, loaded: 0 });
  },

  async "a sound that cannot be loaded says so, and can be tried again"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "", [fixture("voice.ogg")]);
    await inState(operator, "voice.ogg", "ready");
    const voice = attachment(operator, "voice.ogg");
    const play = voice.getByRole("button", { name: "Play voice.ogg" });
    for (const status of [403, 404]) {
      let refused = 0;
      const isMedia = (route) => route.request().resourceType() === "media";
      const refuse = (route) => {
        if (!isMedia(route)) return route.continue();
        refused += 1;
        return route.fulfill({ status });
      };
      await operator.route("**", refuse);
      await play.click();
      await voice.getByRole("status").filter({ hasText: "It could not be played." }).waitFor();
      await play.waitFor();
      assert.equal(await voice.getByRole("button", { name: "Pause voice.ogg" }).count(), 0, `${status}`);
      assert.ok(refused > 0);
      await operator.unroute("**", refuse);
    }
    await play.click();
    await eventually("it is heard", async () => Number(await voice.locator(".seek").inputValue()) > 0);
    assert.equal(await voice.getByRole("status").innerText(), "");
  },

  async "a blur is shown until the thumbnail is loaded"(world) {
    const { customer, operator } = await world.twoPeople();
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    await operator.route(/\/(320|1280)\?/, async (route) => {
      await held;
      await route.continue();
    });
    await send(customer, "", [fixture("phone-12mp.jpg")]);
    const picture = attachment(operator, "phone-12mp.jpg").locator("img.picture");
    await picture.waitFor();
    assert.match(await picture.evaluate((image) => image.style.backgroundImage), /^url\("data:image\/png/);
    const before = await picture.boundingBox();
    release();
    await attachment(operator, "phone-12mp.jpg").locator("img.picture.loaded").waitFor();
    const after = await picture.boundingBox();
    assert.deepEqual([after.width, after.height].map(Math.round), [before.width, before.height].map(Math.round), "it keeps its place");
  },

  async "a thumbnail whose URL has expired is asked for again"(world) {
    const { customer, operator } = await world.twoPeople();
    let expired = 0;
    await operator.route(/\/(320|1280)\?/, (route) => {
      expired += 1;
      return route.fulfill({ status: 403 });
    }, { times: 1 });
    await send(customer, "", [fixture("grayscale.jpg")]);
    await attachment(operator, "grayscale.jpg").locator("img.picture.loaded").waitFor();
    assert.equal(expired, 1);
  },

  async "a refused file says why to both"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "Look.", [fixture("text-named.png")]);
    for (const page of [customer, operator]) {
      await inState(page, "text-named.png", "rejected");
      assert.match(await attachment(page, "text-named.png").locator(".status").innerText(), /This file is not of the type/);
    }
    await customer.locator("#announcements").filter({ hasText: "text-named.png was refused." }).waitFor({ state: "attached" });
  },

  async "a pasted picture is sent"(world) {
    const { customer, operator } = await world.twoPeople();
    const { buffer } = fixture("tiny.jpg");
    await customer.evaluate((base64) => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      data.items.add(new File([bytes], "pasted.jpg", { type: "image/jpeg" }));
      const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
      document.getElementById("text").dispatchEvent(paste);
    }, buffer.toString("base64"));
    await customer.click("#send");
    await inState(operator, "pasted.jpg", "ready");
  },

  async "a file can be downloaded under its own name"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "", [fixture("page.pdf", { as: "Ünïcode, naïve.pdf" })]);
    await inState(operator, "Ünïcode, naïve.pdf", "ready");
    const download = operator.context().waitForEvent("page").then((tab) => tab.waitForEvent("download"));
    await attachment(operator, "Ünïcode").getByRole("button", { name: "Download", exact: false }).last().click();
    assert.equal((await download).suggestedFilename(), "Ünïcode, naïve.pdf");
  },

  async "a failed upload is tried again by itself, and can be cancelled"(world) {
    const { customer, operator } = await world.twoPeople();
    let refuse = true;
    let tries = 0;
    const toInbox = (url) => url.pathname.includes("inbox");
    await customer.route(toInbox, async (route) => {
      tries += 1;
      if (refuse) await route.abort("connectionreset");
      else await route.continue();
    });
    await send(customer, "Two files.", [fixture("note.txt")]);
    await inState(customer, "note.txt", "waiting");
    await eventually("it is tried again", () => tries > 4);
    refuse = false;
    await inState(operator, "note.txt", "ready");
    refuse = true;
    await send(customer, "Never mind.", [fixture("table.csv")]);
    await inState(customer, "table.csv", "waiting");
    await attachment(customer, "table.csv").getByRole("button", { name: "Cancel table.csv" }).click();
    for (const page of [customer, operator]) await inState(page, "table.csv", "cancelled");
  },

  async "an upload that has failed for good is tried again or given up by its sender"(world) {
    const { customer, operator } = await world.twoPeople();
    const toInbox = (url) => url.pathname.includes("inbox");
    const askingAgain = (url) => url.pathname.endsWith("/upload");
    await customer.route(toInbox, (route) => route.abort("connectionreset"));
    await customer.route(askingAgain, (route) => {
      if (route.request().method() !== "POST") return route.continue();
      const body = { code: "made-up", title: "No", detail: "There is no use in going on.", status: 422 };
      return route.fulfill({ status: 422, contentType: "application/problem+json", body: JSON.stringify(body) });
    });
    await send(customer, "Two files.", [fixture("note.txt"), fixture("table.csv")]);
    for (const name of ["note.txt", "table.csv"]) {
      await inState(customer, name, "failed");
      await attachment(customer, name).filter({ hasText: "There is no use in going on." }).waitFor();
    }
    await customer.unroute(toInbox);
    await customer.unroute(askingAgain);
    await attachment(customer, "note.txt").getByRole("button", { name: "Try note.txt again" }).click();
    await attachment(customer, "table.csv").getByRole("button", { name: "Cancel table.csv" }).click();
    for (const page of [customer, operator]) {
      await inState(page, "note.txt", "ready");
      await inState(page, "table.csv", "cancelled");
    }
  },

  async "an attachment can be taken out of a message"(world) {
    const { customer, operator } = await world.twoPeople();
    await send(customer, "One too many.", [fixture("note.txt"), fixture("page.pdf")]);
    await inState(customer, "note.txt", "ready");
    await attachment(customer, "note.txt").getByRole("button", { name: "Remove note.txt" }).click();
    await customer.locator("#confirm").getByRole("button", { name: "Remove" }).click();
    await operator.locator('.attachment[data-state="removed"]').waitFor();
    await inState(operator, "page.pdf", "ready");
  },

  async "an upload that was not finished in time says so, and its sender can cancel it"(world) {
    const { customer, operator } = await world.twoPeople();
    await customer.route((url) => url.pathname.includes("inbox"), (route) => route.abort("connectionreset"));
    await operator.route(/\/v1\/rooms\/[^/]+\/messages/, async (route) => {
      const answer = await route.fetch();
      const lapsed = JSON.parse(await answer.text(), (name, value) =>
        value?.state === "pending" ? { ...value, lapsesAt: "2020-01-01T00:00:00.000Z" } : value);
      await route.fulfill({ response: answer, json: lapsed });
    });
    await send(customer, "Slow.", [fixture("note.txt")]);
    await inState(operator, "note.txt", "lapsed");
    assert.match(await attachment(operator, "note.txt").innerText(), /The upload was not finished in time\./);
    assert.equal(await attachment(operator, "note.txt").getByRole("button").count(), 0, "only its sender can cancel it");
  },

  async "a quota is explained in plain words"(world) {
    const { customer } = await world.twoPeople();
    await customer.route(/\/messages$/, (route) => route.fulfill({
      status: 429,
      headers: { "retry-after": "90" },
      contentType: "application/problem+json",
      json: { type: "urn:problem-type:vestibule:quota-exceeded", title: "Quota exceeded", status: 429, detail: "…", code: "quota-exceeded" },
    }));
    await send(customer, "Once more.");
    await customer.getByRole("alert").filter({ hasText: /You have sent as much as you may for now\. Try again in 2\smin\./ }).waitFor();
    assert.equal(await customer.inputValue("#text"), "Once more.", "what was written is still there");
  },
};
