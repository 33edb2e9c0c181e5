import type { MountExportOptions } from "../../session/mount_export.ts";

/** Options of `export` that are compared. */
export type Variant = Pick<
  MountExportOptions,
  "queues" | "transport" | "pollUs" | "passthrough"
>;

/** What this machine and image can do. */
export interface TuneFacts {
  /** CPUs. */
  readonly cpus: number;
  /** Whether FUSE over io_uring is switched on. */
  readonly uring: boolean;
  /** Whether the kernel may read and write the image itself. */
  readonly passthrough: boolean;
}

/** More queues than these are not tried. */
const QUEUES_MAX = 4;

/** All that can be picked; the simplest ones first. */
export function variantsOf(
  { cpus, uring, passthrough }: TuneFacts,
): Variant[] {
  const most = Math.max(1, Math.min(cpus, QUEUES_MAX));
  const transports = uring ? ["device", "uring"] as const : ["device"] as const;
  const served = transports.flatMap((transport) =>
    (["auto", 0] as const).flatMap((pollUs) =>
      Array.from({ length: most }, (_, i): Variant => ({
        queues: i + 1,
        transport,
        pollUs,
        passthrough: "off",
      }))
    )
  );
  return passthrough
    ? [...served, { queues: 1, transport: "device", passthrough: "on" }]
    : served;
}

/** The words of a command line that choose a variant. */
export function wordsOf(variant: Variant): string[] {
  const { queues, transport, pollUs, passthrough } = variant;
  if (passthrough === "on") return [`--queues=${queues}`, "--passthrough=on"];
  return [
    `--queues=${queues}`,
    `--transport=${transport}`,
    ...pollUs === 0 ? ["--poll-us=0"] : [],
  ];
}

/** Rates that differ by less than this share are taken to be equal. */
const NOISE = 0.02;

/** The index of the fastest; of equal ones, the first and simplest. */
export function fastest(rates: readonly number[]): number {
  const most = Math.max(...rates);
  return rates.findIndex((rate) => rate >= most * (1 - NOISE));
}

/** The middle of some numbers, the mean of two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half]!
    : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * The rates of variants, each measured in every round. What slows a whole round
 * down, such as another program, makes no difference: rates are compared within
 * their round.
 *
 * @param measured Rates by variant and round.
 * @returns A rate for each variant.
 */
export function comparableRates(
  measured: readonly (readonly number[])[],
): number[] {
  const [first = []] = measured;
  const means = first.map((_, round) =>
    geometricMean(measured.map((rates) => rates[round]!))
  );
  const usual = median(means);
  return measured.map((rates) =>
    usual * median(rates.map((rate, round) => rate / means[round]!))
  );
}

function geometricMean(values: readonly number[]): number {
  const logs = values.reduce((sum, value) => sum + Math.log(value), 0);
  return Math.exp(logs / values.length);
}
