// Waiting for a condition, with a deadline. The tests of Uppy's clients wait so too.

import { setTimeout as pause } from "node:timers/promises";

const LOOK_AGAIN_MILLIS = 25;

/** What `promise` resolves to, if it does so in time. */
export async function within(millis, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${millis} ms: ${what}`)), millis);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The first answer of `look` that is something, if there is one in time. For what cannot call back. */
export async function eventually(what, look, millis) {
  const deadline = performance.now() + millis;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`not within ${millis} ms: ${what}`);
    await pause(LOOK_AGAIN_MILLIS);
  }
}
