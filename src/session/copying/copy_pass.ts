import {
  bytesOfPart,
  type DiskRange,
  type Division,
  partsOf,
} from "../../backends/convert/disk_part.ts";
import { runParts } from "../../backends/convert/run_parts.ts";
import type { OpenImage } from "../../backends/open_image.ts";
import type { CopyJob } from "./copy_job.ts";
import {
  copyHere,
  type CopyWorkers,
  type OwnCopyThread,
} from "./copy_threads.ts";

/** One pass over the data of a disk. */
export interface CopyPass {
  /** Its images; Workers attach to them if they can. */
  readonly job: CopyJob<OpenImage>;
  readonly division: Division;
  /** The ranges that are read, from the start again at each call. */
  ranges(): AsyncGenerator<DiskRange, void>;
  /** `null` if only this thread can read the images. */
  readonly workers: CopyWorkers | null;
  /** Whether the CPU is what it waits for, as where clusters are compressed. */
  readonly computes: boolean;
  /** Stops it. */
  readonly signal: AbortSignal;
  /** Takes the result of a part, as `PartsRun.copied()`. */
  taken(result: unknown, settled: number): Promise<void> | void;
  /** Told how many bytes of all that are read have been. */
  progress(done: number, all: number): void;
}

/** Ranges that are kept, so that they need not be looked up again. */
const RANGES_MAX = 1 << 18;
/** Bytes after which it is known what a pass waits for. */
const SAMPLE = 32 << 20;
/** If less time than this is left, Workers would start too late to help. */
const WORTH_WORKERS_MS = 300;
/** Bytes for which computing takes that time, such as compressing them. */
const COMPUTED_LONG = 8 << 20;

/**
 * Goes over a disk once.
 *
 * @returns How many bytes were read.
 * @throws {UserError} If a part cannot be copied.
 */
export async function copyPass(pass: CopyPass): Promise<number> {
  const { job, division, signal } = pass;
  const { all, kept } = await measure(pass);
  pass.progress(0, all);
  const here = await copyHere({
    ...job,
    source: job.source.backend,
    below: job.below?.backend ?? null,
  });
  const wanted = Promise.withResolvers<void>();
  const others = pass.workers?.begin({
    ...job,
    source: job.source.attachment!,
    below: job.below?.attachment ?? null,
  }, wanted.promise) ?? [];
  const threads = [here, ...others];
  if (pass.computes && all >= COMPUTED_LONG) wanted.resolve();
  const begun = performance.now();
  let done = 0;
  try {
    await runParts(partsOf(kept ?? pass.ranges(), division), threads, {
      signal,
      async copied(part, result, settled) {
        await pass.taken(result, settled);
        done += bytesOfPart(part);
        pass.progress(done, all);
        const elapsed = performance.now() - begun;
        if (wantsWorkers(here, elapsed, done, all)) wanted.resolve();
      },
    });
  } finally {
    for (const thread of threads) await thread.end();
  }
  return all;
}

/** Whether Workers would make a pass shorter, after some of it. */
function wantsWorkers(
  { waitsForWrites }: OwnCopyThread,
  elapsedMs: number,
  done: number,
  all: number,
): boolean {
  const leftMs = elapsedMs * (all - done) / done;
  return done >= SAMPLE && leftMs >= WORTH_WORKERS_MS && !waitsForWrites;
}

/** Finds out what there is to read. */
async function measure(
  { ranges, signal }: CopyPass,
): Promise<{ all: number; kept: readonly DiskRange[] | null }> {
  const kept: DiskRange[] = [];
  let all = 0;
  let count = 0;
  for await (const range of ranges()) {
    signal.throwIfAborted();
    all += range.end - range.start;
    if (++count <= RANGES_MAX) kept.push(range);
  }
  return { all, kept: count > RANGES_MAX ? null : kept };
}
