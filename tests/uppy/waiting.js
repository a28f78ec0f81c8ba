import { setTimeout as pause } from "node:timers/promises";

/** How long anything may take. Uppy itself may try again for ten seconds before it gives up. */
export const PATIENCE_MILLIS = 60_000;
const LOOK_AGAIN_MILLIS = 50;

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
export async function eventually(what, look) {
  const deadline = performance.now() + PATIENCE_MILLIS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MILLIS} ms: ${what}`);
    await pause(LOOK_AGAIN_MILLIS);
  }
}
