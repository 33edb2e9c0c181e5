/**
 * Unmounting as soon as nothing uses the mount any more.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import type { UnusedResult } from "../linux/mount/fuse_mount.ts";
import { describeUsers, type MountUsers } from "../linux/mount/mount_users.ts";
import { until } from "./until.ts";

/** The mount, as this module uses it. */
export interface UsedMount {
  /** Where it is mounted: an absolute path. */
  readonly path: string;
  /** Unmounts it unless it is in use (`busy`), which changes nothing. */
  unmountUnused(): Promise<UnusedResult>;
  /**
   * Finds out what uses it, as long as `isWanted` says so; yields all that were
   * found so far.
   */
  users(isWanted: () => boolean): AsyncIterable<MountUsers>;
}

/** The options of {@linkcode waitUntilUnused}. */
export interface WaitOptions {
  /** How long to wait, in milliseconds; 0 for one attempt. */
  readonly timeoutMs: number;
  /** Receives what uses the mount: once, and again when that has changed. */
  readonly tell: (users: MountUsers) => void;
  /** Whether to give up, because the session ends in another way. */
  readonly isOver: () => boolean;
}

/** How the wait ended. */
export interface WaitEnd {
  /**
   * The last attempt's result; `failed` if the mount can be unmounted by force
   * at most.
   */
  readonly result: UnusedResult | "failed";
  /** What used the mount, if that is known. */
  readonly users: MountUsers | null;
}

const RETRY_MS = 150;
/** The kernel closes the file of a loop device later than its user. */
const QUIET_MS = 250;
/** How soon queues end after the unmount, unless a copy of the mount is left. */
const END_MS = 500;
const SEARCH_AGAIN_MS = 2000;
/** How long to wait for a search, in milliseconds. */
const SEARCH_MS = 5000;

/**
 * Tries to unmount until that succeeds or the time is up. Requests are served
 * meanwhile, also those of new users.
 */
export async function waitUntilUnused(
  mount: UsedMount,
  { timeoutMs, tell, isOver }: WaitOptions,
): Promise<WaitEnd> {
  const search = new UserSearch(mount, tell);
  const start = performance.now();
  for (;;) {
    const result = await attempt(mount, search, isOver);
    const left = timeoutMs - (performance.now() - start);
    if (result !== "busy" || isOver()) {
      return { result, users: search.end() };
    }
    if (left <= 0) {
      await search.names();
      // A search takes time, in which the last user may have left.
      const again = await attempt(mount, search, isOver);
      return { result: again, users: search.end() };
    }
    if (left <= timeoutMs - QUIET_MS) search.go();
    await pause(Math.min(RETRY_MS, left));
    // What ended the session has unmounted it too.
    if (isOver()) return { result, users: search.end() };
  }
}

async function attempt(
  mount: UsedMount,
  search: UserSearch,
  isOver: () => boolean,
): Promise<WaitEnd["result"]> {
  const result = await tryToUnmount(mount);
  if (result !== "unmounted" && result !== "gone") return result;
  // After 'umount -l', or through a copy of the mount in another namespace, it
  // can be in use without being mounted here.
  if (await until(isOver, END_MS)) return result;
  search.go();
  await search.names();
  return search.found?.users.length === 0 ? result : "busy";
}

async function tryToUnmount(mount: UsedMount): Promise<WaitEnd["result"]> {
  try {
    return await mount.unmountUnused();
  } catch (error) {
    // Unmounting by force tells the user, if that fails too.
    if (error instanceof UserError) return "failed";
    throw error;
  }
}

/** Searches for users beside the attempts to unmount. */
class UserSearch {
  found: MountUsers | null = null;
  readonly #mount: UsedMount;
  readonly #tell: (users: MountUsers) => void;
  /** The search that is running or was the last one. */
  #running: Promise<void> | null = null;
  #nextAt = 0;
  #isWanted = true;
  #told = "";

  constructor(mount: UsedMount, tell: (users: MountUsers) => void) {
    this.#mount = mount;
    this.#tell = tell;
  }

  /** Starts a search and tells its result, unless that was done just now. */
  go(): void {
    if (performance.now() < this.#nextAt) return;
    this.#nextAt = Infinity;
    this.#running = this.#search((found) => {
      const described = describeUsers(found);
      if (described !== this.#told) this.#tell(found);
      this.#told = described;
    }).finally(() => {
      this.#nextAt = performance.now() + SEARCH_AGAIN_MS;
    });
  }

  /** Waits until users are found, or until a search has found none. */
  async names(): Promise<void> {
    this.#running ??= this.#search(() => {});
    let ended = false;
    this.#running.finally(() => ended = true);
    const hasNames = () => (this.found?.users.length ?? 0) > 0;
    await until(() => ended || hasNames(), SEARCH_MS);
  }

  /** Ends the search that is running; returns the last one's result. */
  end(): MountUsers | null {
    this.#isWanted = false;
    return this.found;
  }

  async #search(tell: (found: MountUsers) => void): Promise<void> {
    try {
      let found: MountUsers | null = null;
      for await (found of this.#mount.users(() => this.#isWanted)) {
        if (!this.#isWanted) return;
        if (found.users.length > 0) this.found = found;
      }
      if (found === null || !this.#isWanted) return;
      this.found = found;
      tell(found);
    } catch (error) {
      // Without /proc, the users stay unknown.
      if (!(error instanceof UserError)) throw error;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
