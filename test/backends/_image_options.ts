import type { ImageOptions } from "../../src/backends/driver.ts";

/** Options of an export that has been given none. */
export const imageOptions: ImageOptions = {
  writable: false,
  growable: false,
  offset: 0,
  size: null,
  writethrough: false,
  direct: false,
  lock: true,
};
