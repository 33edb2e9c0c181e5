import type { Backend } from "../backend.ts";
import { CheckedBackend } from "../checked_backend.ts";
import type { ImageDriver } from "../driver.ts";

/** A backend that the calling thread has made; only that thread can use it. */
export const OBJECT: ImageDriver<Backend, Backend> = {
  kind: "protocol",
  name: "object",
  summary: "a backend object of the calling thread",
  usage: null,
  prefixes: [],
  needs: [],
  oneThread: true,
  open: (backend) => ({ attachment: backend }),
  attach: (backend) => new CheckedBackend(backend),
};
