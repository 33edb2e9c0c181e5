import { WeakValues } from "../weak_values.ts";

/**
 * A file of an overlay: that of the upper file system, that of the lower one, or
 * a directory of both.
 */
export class OverlayNode {
  /** The upper file system's node; `null` until there is one. */
  upper: object | null;
  /** The lower one's; `null` if there is none, or it does not count. */
  readonly lower: object | null;
  /** Whether it is a directory. */
  readonly isDirectory: boolean;
  /** The directory that it was last found in; `null` for the root. */
  directory: OverlayNode | null;
  /** Its name there. */
  name: string;
  /** What is known of a lower directory, until it is copied. */
  readonly children: WeakValues<string, OverlayNode> = new WeakValues();
  /** The copy that is being made of it. */
  copy: Promise<void> | null = null;

  /** Makes a node. */
  constructor(
    upper: object | null,
    lower: object | null,
    isDirectory: boolean,
    directory: OverlayNode | null,
    name: string,
  ) {
    this.upper = upper;
    this.lower = lower;
    this.isDirectory = isDirectory;
    this.directory = directory;
    this.name = name;
  }
}

/** An open file: of the upper or the lower file system. */
export interface OverlayHandle {
  /** Whether `handle` is the upper one's. */
  isUpper: boolean;
  /** What the file system's `open()` has returned. */
  handle: unknown;
}
