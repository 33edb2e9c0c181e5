import { MS_PER_S } from "../../base/timespec.ts";
import { parseSource } from "../../backends/registry.ts";
import { UserError } from "../../base/user_error.ts";
import { environmentVariable } from "../../linux/syscall/process.ts";
import { writeTextFile } from "../../linux/syscall/text_file.ts";
import type { ExportSession } from "../../session/export_session.ts";
import { mountExport } from "../../session/mount_export.ts";
import type { SessionOptions } from "../../session/session_options.ts";
import { Load, type Use, usesOf } from "./load.ts";
import { comparableRates, type Variant, variantsOf } from "./variants.ts";

/** What is exported, as options of `export` say it. */
export interface TunedImage {
  /** The image. */
  readonly source: string;
  /** Where writes go in place of the image; `null` without an overlay. */
  readonly overlay: string | null;
  /** The partition of the image; `null` for all of it. */
  readonly partition: string | null;
}

/** Images that begin anew with each export. */
const FORGETFUL: ReadonlySet<string> = new Set(["memory", "null"]);

/** Whether writing to the export of an image harms nothing. */
export function mayBeWritten({ source, overlay }: TunedImage): boolean {
  return overlay !== null || FORGETFUL.has(parseSource(source).driver.name);
}

/** A variant and its rates, by use. */
export interface Measured {
  /** The variant. */
  readonly variant: Variant;
  /** The rate of each use of `usesOf()`, in its unit: `comparableRates()`. */
  readonly rates: readonly number[];
}

/** Ways to watch and stop a measurement. */
export interface TuneHooks extends Pick<SessionOptions, "report"> {
  /** Called with how many of all measurements are done. */
  readonly onProgress: (done: number, all: number) => void;
  /** Stops it when aborted. */
  readonly signal: AbortSignal;
  /** Milliseconds of all measurements together; 36000 if left out. */
  readonly budgetMs?: number;
  /** How often each variant is measured; 5 times if left out. */
  readonly rounds?: number;
}

/** With the mounts between the measurements, less than a minute. */
const BUDGET_MS = 36_000;
const ROUNDS = 5;
const LONGEST_MS = 700;
/** How long the first measurement warms everything up. */
const WARM_UP_MS = 300;
/**
 * How long each export is used before it is measured: code that its Workers run
 * for the first time is slow, and more of them take longer to warm up.
 */
const WORKERS_WARM_UP_MS = 150;

/**
 * Measures every variant on an image, which is only read, unless writing to its
 * export harms nothing. Each round measures all of them in turn, so that a
 * disturbance hits more than one.
 *
 * @throws {UserError} If the image cannot be exported or used.
 */
export async function measureVariants(
  image: TunedImage,
  hooks: TuneHooks,
): Promise<Measured[]> {
  const directory = environmentVariable("TMPDIR") ?? "/tmp";
  const path = `${directory}/mqfuse-tune-${crypto.randomUUID()}.img`;
  const mountpoint = writeTextFile(path, "", { exclusive: true, mode: 0o600 });
  try {
    using load = await Load.start();
    return await new Tuning(image, path, load, hooks).run();
  } finally {
    mountpoint.remove();
  }
}

class Tuning {
  readonly #image: TunedImage;
  readonly #writable: boolean;
  readonly #uses: readonly Use[];
  readonly #path: string;
  readonly #load: Load;
  readonly #hooks: TuneHooks;

  constructor(image: TunedImage, path: string, load: Load, hooks: TuneHooks) {
    this.#image = image;
    this.#writable = mayBeWritten(image);
    this.#uses = usesOf(this.#writable);
    this.#path = path;
    this.#load = load;
    this.#hooks = hooks;
  }

  async run(): Promise<Measured[]> {
    const variants = variantsOf(await this.#facts());
    const { budgetMs = BUDGET_MS, rounds: count = ROUNDS } = this.#hooks;
    const all = variants.length * count;
    const ms = Math.min(LONGEST_MS, budgetMs / (all * this.#uses.length));
    const rates = variants.map(() => this.#uses.map((): number[] => []));
    for (let done = 0; done < all; done++) {
      const at = done % variants.length;
      await this.#mounted(variants[at]!, async (session) => {
        await this.#rate(0, session, WORKERS_WARM_UP_MS);
        for (const [use, row] of rates[at]!.entries()) {
          row.push(await this.#rate(use, session, ms));
        }
      });
      this.#hooks.onProgress(done + 1, all);
    }
    const byUse = this.#uses.map((_, use) =>
      comparableRates(rates.map((rows) => rows[use]!))
    );
    return variants.map((variant, i) => ({
      variant,
      rates: byUse.map((all) => all[i]!),
    }));
  }

  /** What is possible here; warms up the image's pages and this program. */
  async #facts() {
    const first: Variant = { transport: "auto", passthrough: "off" };
    const uring = await this.#mounted(first, async (session) => {
      for (const use of this.#uses.keys()) {
        await this.#rate(use, session, WARM_UP_MS);
      }
      return session.transport.kind === "uring";
    });
    const direct: Variant = { queues: 1, passthrough: "on" };
    const passthrough = await this.#mounted(direct, () => true).catch(
      (error) => {
        if (error instanceof UserError) return false;
        throw error;
      },
    );
    return { cpus: navigator.hardwareConcurrency, uring, passthrough };
  }

  #rate(use: number, { size }: ExportSession, ms: number): Promise<number> {
    if (size === 0) {
      throw new UserError(`Cannot measure ${this.#image.source}: it is empty`);
    }
    this.#hooks.signal.throwIfAborted();
    return this.#load.measure(this.#uses[use]!, { path: this.#path, size }, ms);
  }

  /** Exports the image while something is done. */
  async #mounted<T>(
    variant: Variant,
    use: (session: ExportSession) => T | Promise<T>,
  ): Promise<T> {
    const { report } = this.#hooks;
    const { source, overlay, partition } = this.#image;
    const session = await mountExport({
      source,
      ...overlay === null ? {} : { overlay },
      ...partition === null ? {} : { partition },
      mountpoint: this.#path,
      writable: this.#writable,
      stopTimeout: 1,
      ...report === undefined ? {} : { report },
      ...variant,
    });
    const abort = () => void session.abort();
    this.#hooks.signal.addEventListener("abort", abort);
    // What hangs fails, and does not keep the program from ending.
    const timer = setTimeout(abort, 30 * MS_PER_S);
    try {
      return await use(session);
    } finally {
      clearTimeout(timer);
      this.#hooks.signal.removeEventListener("abort", abort);
      await session.close();
    }
  }
}
