// What the buttons of messages and attachments do.

import { confirmed } from "./dialogs.js";

/**
 * @param {object} desk
 * @param {import("./api.js").Api} desk.api
 * @param {import("./uploads.js").Uploads} desk.uploads
 * @param {(work: () => Promise<unknown>) => Promise<boolean>} desk.attempt Does it, and says what goes wrong.
 * @param {(message: object) => void} desk.take Shows a message that the API answered.
 * @param {(message: object) => Promise<object | undefined>} desk.refetch
 * @param {(attachment: object) => void} desk.look Opens the lightbox.
 */
export function actionsOf({ api, uploads, attempt, take, refetch, look }) {
  return {
    refetch,

    /** Fails with a sentence for the person: the form stays open. */
    editMessage: async ({ room, seq }, text) => take(await api.editMessage(room, seq, text)),

    removeMessage: (message) => attempt(async () => {
      if (!(await confirmed("Delete this message and its files for both of you?", "Delete"))) return;
      const tombstone = await api.deleteMessage(message.room, message.seq);
      for (const { id } of message.attachments) uploads.cancel(id);
      take(tombstone);
    }),

    open: (_, attachment) => look(attachment),

    download: ({ room, seq }, { id }) => {
      // Opened at once, while the click still permits it.
      const tab = window.open("", "_blank");
      attempt(async () => {
        const url = await api.download(room, seq, id).catch((error) => {
          tab?.close();
          throw error;
        });
        if (tab) {
          tab.opener = null;
          tab.location.replace(url);
        } else location.assign(url);
      });
    },

    /** A URL of the file itself, for what is played in place; `undefined` when there is none, and the person was told why. */
    find: async ({ room, seq }, { id }) => {
      let url;
      await attempt(async () => { url = await api.download(room, seq, id); });
      return url;
    },

    cancel: ({ room, seq }, { id }) => attempt(async () => {
      const message = await api.cancelUpload(room, seq, id);
      uploads.cancel(id);
      take(message);
    }),

    remove: ({ room, seq }, { id, name }) => attempt(async () => {
      if (!(await confirmed(`Remove “${name}” for both of you?`, "Remove"))) return;
      take(await api.removeAttachment(room, seq, id));
    }),

    supply: (message, attachment, file) => attempt(() => uploads.supply(message, attachment, file)),
    pause: (id) => uploads.pause(id),
    resume: (id) => uploads.resume(id),
  };
}
