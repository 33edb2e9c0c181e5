/**
 * A Worker that uses damaged images, and counts them in shared memory, so
 * that the main thread notices when one takes too long.
 *
 * @module
 */
import { Random } from "../_random.ts";
import { type FuzzKind, makeFuzzer } from "./_image_fuzz.ts";

/** What the main thread asks for. */
export interface Batch {
  readonly kind: FuzzKind;
  readonly seed: number;
  readonly images: number;
  /** One word, which counts the images. */
  readonly progress: SharedArrayBuffer;
}

/** What it gets: figures, or the harm that an image did. */
export interface BatchResult {
  readonly images: number;
  readonly opened: number;
  readonly openedToWrite: number;
  readonly slowestMs: number;
  /** The error with its stack; "" if there was none. */
  readonly harm: string;
}

// Type checked as a window's module, in which these have other types.
const scope = self as unknown as {
  onmessage: (event: MessageEvent<Batch>) => void;
  postMessage(result: BatchResult): void;
};
scope.onmessage = async ({ data }) => scope.postMessage(await fuzz(data));

async function fuzz(
  { kind, seed, images, progress }: Batch,
): Promise<BatchResult> {
  const fuzzer = makeFuzzer(kind, new Random(seed));
  let harm = "";
  try {
    for (let i = 0; i < images; i++) {
      await fuzzer.next();
      Atomics.add(new Int32Array(progress), 0, 1);
    }
  } catch (error) {
    harm = error instanceof Error ? `${error.stack}` : String(error);
  }
  const { count, opened, openedToWrite, slowestMs } = fuzzer;
  return { images: count, opened, openedToWrite, slowestMs, harm };
}
