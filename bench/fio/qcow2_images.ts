import type { Qcow2Section } from "./sections.ts";
import { writeText } from "./write_text.ts";

/** How the images of a section are made and used. */
export interface Qcow2Form {
  /** Options of `qemu-img create`. */
  readonly options?: string;
  /** Compressed with this method; what it has is text. */
  readonly compression?: "zlib" | "zstd";
  /** Whether it lies over an image that has all clusters. */
  readonly hasBacking?: boolean;
  /**
   * Whether each run begins with an image without clusters, and writes into as
   * many as there are, drawn at random: 1 - 1/e of the writes allocate.
   */
  readonly isFresh?: boolean;
  /** The bytes that tables may take; the default if left out. */
  readonly cacheSize?: (size: number) => number;
}

const CLUSTER = 64 << 10;
const SMALL_CLUSTER = 4096;
/** Bytes of an L2 entry. */
const ENTRY = 8;

/** How the images of each section are made. */
export const QCOW2_FORMS: Readonly<Record<Qcow2Section, Qcow2Form>> = {
  qcow2: { options: "preallocation=full" },
  "qcow2-tables": {
    options: `cluster_size=${SMALL_CLUSTER},preallocation=full`,
    cacheSize: (size) => size / SMALL_CLUSTER * ENTRY / 4,
  },
  "qcow2-deflate": { compression: "zlib" },
  "qcow2-zstd": { compression: "zstd" },
  "qcow2-allocate": { isFresh: true },
  "qcow2-backing": { isFresh: true, hasBacking: true },
};

/** The form of a section; `null` if it has no images of this format. */
export function formOf(section: string): Qcow2Form | null {
  return section in QCOW2_FORMS ? QCOW2_FORMS[section as Qcow2Section] : null;
}

/** fio's options for writes to clusters that are drawn at random. */
export interface ClusterWrites {
  /** Where they start: within a cluster, so that it is copied around them. */
  readonly offset: number;
  /** Bytes of the disk from there on that they spread over. */
  readonly span: number;
  /** How many. */
  readonly writes: number;
}

/**
 * The writes that warm a server up, to the first quarter of a disk, or those
 * that are measured, to the rest.
 *
 * @param size The disk's size in bytes.
 */
export function clusterWrites(
  size: number,
  part: "warm-up" | "measured",
): ClusterWrites {
  const within = 28 << 10;
  const quarter = Math.floor(size / 4 / CLUSTER) * CLUSTER;
  const [start, end] = part === "warm-up" ? [0, quarter] : [quarter, size];
  // The last cluster would reach over the end.
  const clusters = Math.floor((end - start) / CLUSTER) - 1;
  const offset = start + within;
  return { offset, span: clusters * CLUSTER, writes: clusters };
}

/** Bytes from one such write to the next one. */
export const WRITE_STEP = CLUSTER;

/** Makes the images of a section. */
export class Qcow2Images {
  readonly #form: Qcow2Form;
  readonly #directory: string;
  readonly #size: number;
  readonly #signal: AbortSignal;

  /**
   * Prepares a section.
   *
   * @param section The section.
   * @param options An empty directory, the size of the disks, and a signal that
   * cancels the work.
   */
  constructor(
    section: Qcow2Section,
    { directory, size, signal }: {
      readonly directory: string;
      readonly size: number;
      readonly signal: AbortSignal;
    },
  ) {
    this.#form = QCOW2_FORMS[section];
    this.#directory = directory;
    this.#size = size;
    this.#signal = signal;
  }

  /** Makes what all servers' images have in common. */
  async prepare(): Promise<void> {
    const { options, compression, hasBacking, isFresh } = this.#form;
    if (compression !== undefined) await this.#compress(compression);
    else if (hasBacking) await this.#create(this.#common, "preallocation=full");
    else if (!isFresh) await this.#create(this.#common, options);
  }

  /** Makes the image of a server; no two servers write to one. */
  async imageFor(server: string): Promise<string> {
    const path = `${this.#directory}/${server}.qcow2`;
    const { isFresh, hasBacking } = this.#form;
    if (!isFresh) await Deno.copyFile(this.#common, path);
    else {
      await Deno.remove(path).catch(() => {});
      const over = hasBacking ? ["-b", this.#common, "-F", "qcow2"] : [];
      await this.#create(path, undefined, over);
    }
    return path;
  }

  get #common(): string {
    return `${this.#directory}/common.qcow2`;
  }

  async #create(
    path: string,
    options: string | undefined,
    over: readonly string[] = [],
  ): Promise<void> {
    const how = options === undefined ? [] : ["-o", options];
    const size = String(this.#size);
    await this.#run(["create", "-f", "qcow2", ...how, ...over, path, size]);
  }

  async #compress(method: string): Promise<void> {
    const raw = `${this.#directory}/text.raw`;
    await writeText(raw, this.#size, this.#signal);
    const how = ["-O", "qcow2", "-o", `compression_type=${method}`];
    await this.#run(["convert", "-c", "-f", "raw", ...how, raw, this.#common]);
    await Deno.remove(raw);
  }

  async #run(args: readonly string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command("qemu-img", {
      args: [args[0]!, "-q", ...args.slice(1)],
      stdout: "null",
      signal: this.#signal,
    }).output();
    if (success) return;
    const why = new TextDecoder().decode(stderr).trim();
    throw new Error(`qemu-img ${args.join(" ")} failed: ${why}`);
  }
}
