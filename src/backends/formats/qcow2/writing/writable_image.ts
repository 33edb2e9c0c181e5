import type { ImageBelow } from "../../../driver.ts";
import type { Geometry } from "../geometry.ts";
import type { Qcow2Header } from "../header.ts";

/** An image that is to be written. */
export interface WritableImage {
  readonly name: string;
  readonly file: ImageBelow;
  /** The file with the data, if it is another one. */
  readonly data: ImageBelow | null;
  readonly header: Qcow2Header;
  readonly geometry: Geometry;
  /** Of `readL1()`. */
  readonly l1: SharedArrayBuffer;
  /** Bytes of memory for refcounts. */
  readonly cacheSize: number;
}
