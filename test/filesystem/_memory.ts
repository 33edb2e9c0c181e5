import { MemoryFs } from "../../examples/memory.ts";
import { FileSystemHandler } from "../../src/filesystem/file_system_handler.ts";
import { Client } from "./_client.ts";

/** The root's nodeid. */
export const ROOT = 1n;

/** Size of a page in bytes. */
export const PAGE = 4096;

/** Nanoseconds. */
export const SECOND = 1_000_000_000n;

/** examples/memory.ts with a clock that the test moves, and its client. */
export function setUp() {
  const clock = { now: 1000n * SECOND };
  const now = () => clock.now;
  const fs = new MemoryFs(now);
  const handler = new FileSystemHandler(fs, { now });
  return { fs, handler, clock, client: new Client(handler) };
}

/** The three times of a file in seconds. */
export function times(client: Client, nodeid: bigint): bigint[] {
  const { atime, mtime, ctime } = client.getattr(nodeid);
  return [atime, mtime, ctime];
}
