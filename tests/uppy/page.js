// What the page does: one Uppy with one file, as a page of somebody else's would have it.

import { bytes } from "./bytes.js";

export function offer(Uppy, AwsS3, addressed) {
  let uppy;
  let id;
  let finished;

  window.contract = {
    version: AwsS3.VERSION,

    /** Begins to upload a file. `resume` is what Uppy kept of an upload before the page was reloaded. */
    begin({ address, file: { name, type, size }, multipart, resume, options }) {
      uppy = new Uppy();
      uppy.use(AwsS3, { ...addressed(address), shouldUseMultipart: multipart, ...options });
      id = uppy.addFile({ name, type, data: new File([bytes({ size, type })], name, { type }) });
      if (resume) uppy.setFileState(id, { s3Multipart: resume });
      finished = uppy.upload();
    },

    /** The upload that a page keeps over a reload; Uppy's Golden Retriever keeps the same. */
    kept: () => uppy.getFile(id).s3Multipart,
    pause: () => uppy.pauseAll(),
    resume: () => uppy.resumeAll(),
    cancel: () => uppy.cancelAll(),
    files: () => uppy.getFiles().length,
    retry() { finished = uppy.retryAll(); },

    /** How it ended, as far as it fits into JSON. */
    async result() {
      const result = await finished;
      return {
        successful: (result?.successful ?? []).map((file) => ({ name: file.name, url: file.uploadURL, response: file.response })),
        failed: (result?.failed ?? []).map((file) => ({ name: file.name, error: file.error })),
      };
    },
  };
}
