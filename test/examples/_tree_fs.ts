import { TreeFs } from "../../examples/tree_fs/tree_fs.ts";
import { Client } from "./_client.ts";

/** The root's nodeid. */
export const ROOT = 1n;

/** Size of a page in bytes. */
export const PAGE = 4096;

/** Nanoseconds. */
export const SECOND = 1_000_000_000n;

/** A file system with a clock that the test moves, and its client. */
export function setUp(options: { capacity?: number } = {}) {
  const clock = { now: 1000n * SECOND };
  const fs = new TreeFs({ ...options, now: () => clock.now });
  return { fs, clock, client: new Client(fs) };
}

/** The three times of a file in seconds. */
export function times(client: Client, nodeid: bigint): bigint[] {
  const { atime, mtime, ctime } = client.getattr(nodeid);
  return [atime, mtime, ctime];
}
