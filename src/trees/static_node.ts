import type { Attr } from "../filesystem/attr.ts";
import type { Caller, May } from "../filesystem/file_system.ts";

/** What a file holds, or the target of a symbolic link. */
export interface Content {
  /**
   * Reads bytes.
   *
   * @returns How many were put into `into`; fewer than it holds mean the end.
   */
  read(into: Uint8Array, offset: number, caller: Caller): May<number>;
}

/** What a file holds while it is open. */
export interface OpenContent extends Content {
  /** The number of bytes. */
  readonly size: number;
}

/**
 * A node of a tree that does not change.
 *
 * @category Trees
 */
export interface StaticNode {
  /** Its attributes. */
  readonly attr: Attr;
  /** What a directory has in it; `null` for anything else. */
  readonly entries: Map<string, StaticNode> | null;
  /**
   * What it holds, or what makes that for each open(2) anew; `null` for what
   * cannot be read.
   */
  readonly content: Content | ((caller: Caller) => May<OpenContent>) | null;
}

/** The content of bytes in memory. */
export function bytesContent(bytes: Uint8Array): OpenContent {
  return {
    size: bytes.length,
    read(into, offset) {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
  };
}
