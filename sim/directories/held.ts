import type { Dentry } from "./node.ts";

/** What a system call holds while it runs. */
export class Held {
  readonly #dentries: Dentry[] = [];

  /** Holds a dentry until the call ends. */
  add(dentry: Dentry): Dentry {
    dentry.hold();
    this.#dentries.push(dentry);
    return dentry;
  }

  /** The end of the call. */
  release(): void {
    for (const dentry of this.#dentries.splice(0)) dentry.release();
  }
}

/** Runs a system call with what it holds. */
export async function holding<T>(
  call: (held: Held) => Promise<T>,
): Promise<T> {
  const held = new Held();
  try {
    return await call(held);
  } finally {
    held.release();
  }
}
