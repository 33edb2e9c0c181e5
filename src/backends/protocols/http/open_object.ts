/**
 * Finding out what an object is, before it is exported.
 *
 * @module
 */
import { UserError } from "../../../base/user_error.ts";
import { BLOCK } from "../../block_cache/block_cache.ts";
import { Fetch, type FetchFailure, type FetchOwner } from "./fetch.ts";
import type { HttpObject } from "./judge.ts";
import { HttpPool, type PoolOptions } from "./pool.ts";

/** Bytes that the first request asks for. */
const FIRST_BYTES = 4 * BLOCK;

/** An object, and its start. */
export interface OpenedObject {
  readonly object: HttpObject;
  /** Its first bytes: whole blocks, or all of it. */
  readonly start: Uint8Array<ArrayBuffer>;
  /** How long a request takes on a connection that exists, in milliseconds. */
  readonly latencyMs: number;
}

/**
 * Asks for the start of an object, as every later request does: a signed URL may
 * allow GET alone.
 *
 * @param name Its name in errors.
 * @throws {UserError} If it cannot be read by ranges.
 */
export async function openObject(
  name: string,
  options: Omit<PoolOptions, "known" | "modeChanged" | "idle" | "reconnectMs">,
): Promise<OpenedObject> {
  const pool = new HttpPool({
    ...options,
    known: null,
    reconnectMs: 0,
    modeChanged() {},
    idle() {},
  });
  try {
    const first = await get(pool, 0, FIRST_BYTES);
    if (first.failure !== null) throw refusal(name, first.failure);
    const object = first.fetch.object!;
    const begun = performance.now();
    // By the connection that exists now.
    if (object.size > 0) await get(pool, 0, Math.min(object.size, BLOCK));
    const latencyMs = performance.now() - begun;
    const length = Math.min(first.fetch.done, FIRST_BYTES);
    return { object, start: first.bytes.slice(0, length), latencyMs };
  } finally {
    pool.close();
  }
}

function refusal(name: string, { why }: FetchFailure): UserError {
  if (why.startsWith("Cannot ")) return new UserError(why);
  return new UserError(
    `Cannot open ${name}: its server cannot be used: ${why}`,
  );
}

interface Got {
  readonly fetch: Fetch;
  readonly failure: FetchFailure | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function get(pool: HttpPool, from: number, to: number): Promise<Got> {
  const { promise, resolve } = Promise.withResolvers<Got>();
  const bytes = new Uint8Array(to - from);
  const owner: FetchOwner = {
    bytes(_fetch, position, buffer, start, end) {
      bytes.set(buffer.subarray(start, end), position - from);
    },
    ended: (fetch, failure) => resolve({ fetch, failure, bytes }),
  };
  pool.get(new Fetch(from, to, false, owner));
  return promise;
}
