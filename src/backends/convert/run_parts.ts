/**
 * Copying the parts of a disk, by several threads at once.
 *
 * @module
 */
import type { DiskPart } from "./disk_part.ts";

/** A thread that copies parts, one after another. */
export interface CopyThread<Result = unknown> {
  /** Parts that it is given at a time, so that it need not wait for one. */
  readonly depth: number;
  /** Resolves once it can copy; it can at once if left out. */
  readonly ready?: Promise<void>;
  /**
   * Copies a part.
   *
   * @throws {UserError} If that fails.
   */
  copy(part: DiskPart): Promise<Result>;
  /** Ends it. */
  end(): void | Promise<void>;
}

/** How parts are copied. */
export interface PartsRun<Result> {
  /** Stops the run, which then rejects with its reason. */
  readonly signal: AbortSignal;
  /**
   * Told of each part that was copied.
   *
   * @param settled Everything of the disk before this position was copied, and
   * every such result taken.
   */
  copied(part: DiskPart, result: Result, settled: number): Promise<void>;
}

/**
 * Copies parts; rejects with the first error, once every thread is idle. It does
 * not wait for threads that become ready when all parts have been given away.
 */
export async function runParts<Result>(
  parts: AsyncGenerator<DiskPart, void>,
  threads: readonly CopyThread<Result>[],
  run: PartsRun<Result>,
): Promise<void> {
  const begun = new Set<number>();
  let last = 0;
  const tracked = trackParts(parts, (part) => {
    begun.add(part[0]!.start);
    last = part.at(-1)!.end;
  });
  let failure: { readonly error: unknown } | null = null;
  const over = Promise.withResolvers<void>();
  const lane = async (thread: CopyThread<Result>) => {
    if (thread.ready !== undefined) {
      await Promise.race([thread.ready, over.promise]);
    }
    while (failure === null) {
      run.signal.throwIfAborted();
      const { done, value } = await tracked.next();
      if (done === true) return over.resolve();
      const result = await thread.copy(value);
      begun.delete(value[0]!.start);
      const settled = begun.size === 0 ? last : Math.min(...begun);
      await run.copied(value, result, settled);
    }
  };
  const lanes = threads.flatMap((thread) =>
    Array.from({ length: thread.depth }, () =>
      lane(thread).catch((error) => {
        failure ??= { error };
        over.resolve();
      }))
  );
  await Promise.all(lanes);
  await tracked.return();
  if (failure !== null) throw (failure as { error: unknown }).error;
}

async function* trackParts(
  parts: AsyncGenerator<DiskPart, void>,
  begin: (part: DiskPart) => void,
): AsyncGenerator<DiskPart, void> {
  for await (const part of parts) {
    begin(part);
    yield part;
  }
}
