/**
 * Converting a disk image: copying it to a new file in another format.
 *
 * @module
 */
import { qcow2FileOf } from "../../backends/change_offline.ts";
import {
  dataRanges,
  type DiskRange,
  type Division,
  roundedRanges,
} from "../../backends/convert/disk_part.ts";
import { type ImageOptions, LOOK_OPTIONS } from "../../backends/driver.ts";
import type { WrittenClusters } from "../../backends/formats/qcow2/creating/cluster_writer.ts";
import { changedRanges } from "../../backends/formats/qcow2/snapshots/changed_ranges.ts";
import { rawPathOf } from "../../backends/image_chain.ts";
import { type OpenImage, openImage } from "../../backends/open_image.ts";
import { FILE } from "../../backends/protocols/file/driver.ts";
import type { DriverServices } from "../../backends/services.ts";
import { UserError } from "../../base/user_error.ts";
import { type CopyPass, copyPass } from "./copy_pass.ts";
import { CopyWorkers } from "./copy_threads.ts";
import {
  type NewTarget,
  openTarget,
  type TargetRequest,
} from "./new_target.ts";

/** What is converted, to what. */
export interface ConvertRequest extends TargetRequest {
  /** The source, as users write it. */
  readonly source: string;
  /** How it is opened. */
  readonly reading: ImageOptions;
  /**
   * The snapshot of the source that the image below is a copy of: only what has
   * changed since then is looked at. `null` to look at all of it.
   */
  readonly since: string | null;
  /** Whether the new image is read and compared before it gets its name. */
  readonly verify: boolean;
  /** How many threads copy: this one, and Workers. */
  readonly workers: number;
}

/** How far a step is. Bytes of the disk that have to be read. */
export interface ConvertProgress {
  readonly step: "copying" | "verifying";
  readonly done: number;
  readonly all: number;
}

/** What has been done. */
export interface Converted {
  /** The format of the new image. */
  readonly format: string;
  /** The size of the disk in bytes. */
  readonly size: number;
  /** Bytes of the disk that were read. */
  readonly data: number;
  /** Space of the new image on its medium in bytes; `null` if unknown. */
  readonly allocated: number | null;
}

/** How a conversion is watched and stopped. */
export interface ConvertWatch {
  /** Stops it; then nothing of the new image is left. */
  readonly signal: AbortSignal;
  progress(progress: ConvertProgress): void;
}

/** Bytes of a part; less where compressing it takes long. */
const PART = 4 << 20;
const COMPRESSED_PART = 1 << 20;

/**
 * Converts an image. The new image is written under another name beside its
 * own, and renamed once it is complete and durable.
 *
 * @param services The services of this thread.
 * @throws {UserError} If it cannot be done; nothing is left then.
 */
export async function convertImage(
  request: ConvertRequest,
  services: DriverServices,
  watch: ConvertWatch,
): Promise<Converted> {
  await using stack = new AsyncDisposableStack();
  const pool = new CopyWorkers(request.workers - 1);
  stack.defer(() => pool.terminate());
  const source = await openImage(request.source, request.reading, services);
  stack.defer(() => source.close());
  const below = request.backing === null
    ? null
    : await openImage(rawPathOf(request.backing) ?? request.backing, {
      ...LOOK_OPTIONS,
      allowReference: request.reading.allowReference,
    }, services);
  if (below !== null) stack.defer(() => below.close());
  const target = await openTarget(request, { source, below }, services);
  try {
    const copying = new Copying(
      request,
      { source, below, target },
      watch,
      pool,
    );
    const data = await copying.run(services);
    target.publish();
    const { size } = source.stat;
    return { format: target.format, size, data, allocated: target.allocated };
  } catch (error) {
    target.remove();
    throw error;
  } finally {
    target.close();
  }
}

/** The images of a conversion. */
interface Images {
  readonly source: OpenImage;
  readonly below: OpenImage | null;
  readonly target: NewTarget;
}

/** The copying of one image. */
class Copying {
  readonly #request: ConvertRequest;
  readonly #images: Images;
  readonly #watch: ConvertWatch;
  readonly #pool: CopyWorkers;

  constructor(
    request: ConvertRequest,
    images: Images,
    watch: ConvertWatch,
    pool: CopyWorkers,
  ) {
    this.#request = request;
    this.#images = images;
    this.#watch = watch;
    this.#pool = pool;
  }

  /** Copies and, if wanted, verifies; returns the bytes that were read. */
  async run(services: DriverServices): Promise<number> {
    const { source, below, target } = this.#images;
    const { verify, compress } = this.#request;
    const division: Division = {
      size: source.stat.size,
      unit: target.unit,
      partSize: Math.max(
        target.unit,
        compress === null ? PART : COMPRESSED_PART,
      ),
    };
    const images = below === null
      ? [source.backend]
      : [source.backend, below.backend];
    const { since } = this.#request;
    const ranges = since === null
      ? () => dataRanges(images, division)
      : () => roundedRanges(this.#changes(since, services), division);
    const all = await this.#pass("copying", {
      job: {
        source,
        below,
        target: target.writing,
        file: target.file,
      },
      division,
      ranges,
      computes: compress !== null,
      async taken(result, settled) {
        if (target.writing.kind !== "qcow2") return;
        target.image!.take(result as WrittenClusters);
        await target.image!.settle(settled);
      },
    });
    await target.finish();
    if (verify) await this.#verify(division, services);
    return all;
  }

  /** Reads the new image, and compares it. */
  async #verify(division: Division, services: DriverServices): Promise<void> {
    const { source, target } = this.#images;
    const made = await target.reopen(services);
    try {
      const fine = { ...division, unit: VERIFY_UNIT };
      await this.#pass("verifying", {
        job: { source, below: made, target: { kind: "compare" }, file: null },
        division: fine,
        ranges: () => dataRanges([source.backend, made.backend], fine),
        computes: true,
        taken: (result) => this.#compared(result as number | null),
      });
    } finally {
      await made.close();
    }
  }

  /** Goes over the disk once; returns how many bytes were read. */
  #pass(
    step: ConvertProgress["step"],
    pass: Omit<CopyPass, "workers" | "signal" | "progress">,
  ): Promise<number> {
    const { signal, progress } = this.#watch;
    const { source, below } = pass.job;
    const isShared = source.attachment !== null &&
      (below === null || below.attachment !== null);
    return copyPass({
      ...pass,
      workers: isShared ? this.#pool : null,
      signal,
      progress: (done, all) => progress({ step, done, all }),
    });
  }

  /** What the tables of the source say has changed since a snapshot. */
  async *#changes(
    since: string,
    services: DriverServices,
  ): AsyncGenerator<DiskRange, void> {
    const { source: text, reading } = this.#request;
    const path = qcow2FileOf(text, "find changes in");
    const file = await openImage(
      { driver: FILE, source: path },
      LOOK_OPTIONS,
      services,
    );
    try {
      const { backend, name } = file;
      yield* changedRanges(backend, name, since, reading.snapshot);
    } finally {
      await file.close();
    }
  }

  #compared(difference: number | null): void {
    if (difference === null) return;
    const { source, target } = this.#images;
    throw new UserError(
      `Cannot verify ${target.name}: it differs from ${source.name} at byte ${difference}; check the storage and the memory of this machine`,
    );
  }
}

/** Bytes in which a new image is compared. */
const VERIFY_UNIT = 4096;
