/**
 * What QEMU says of an image, beside what this program says.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { runFor } from "../mount/_clients.ts";
import { MAIN } from "../mount/_export_process.ts";
import type { ImageRange } from "../../src/backends/image_map.ts";
import type { QemuTools } from "./tools.ts";
import { verdictOn } from "./verdict.ts";

/** Seconds that a map may take, on a machine with other load. */
const MAP_S = 120;

/** A range as qemu-img prints it; 7.2 does not tell what is compressed. */
type QemuRange = Partial<Omit<ImageRange, "offset">> & { offset?: number };

/**
 * Requires that both programs find an image without corruptions and leaks and map
 * it the same, and that it has the bytes of a raw file.
 *
 * @param image The name of an image that no process writes to.
 * @param model The name of the raw file.
 */
export async function assertAgree(
  tools: QemuTools,
  directory: string,
  image: string,
  model: string,
): Promise<void> {
  const { corruptions, leaks } = await verdictOn(tools, directory, image);
  assertEquals([corruptions, leaks], [0, 0], `the check of ${image}`);
  const compare = ["compare", "-q", "-f", "raw", "-F", "qcow2"];
  await tools.img(directory, ...compare, model, image);
  const printed = await tools.img(
    directory,
    ...["map", "--output=json", "-f", "qcow2", image],
  );
  const theirs: QemuRange[] = JSON.parse(printed);
  const isTold = theirs.some((range) => "compressed" in range);
  const ours = (await mapOf(`${directory}/${image}`)).map((range) =>
    asQemu(range, isTold)
  );
  assertEquals(merged(ours), merged(theirs), `the map of ${image}`);
}

/** The ranges that `info --map` prints. */
async function mapOf(path: string): Promise<ImageRange[]> {
  const { code, stdout, stderr } = await runFor(
    MAP_S,
    ...[Deno.execPath(), "run", "--allow-ffi", MAIN] as const,
    ...["info", "--map", "--json", `qcow2:${path}`],
  );
  if (code !== 0) throw new Error(`info ended with ${code}: ${stderr}`);
  return stdout.trim().split("\n").map((line) => {
    const { event: _, ...range } = JSON.parse(line);
    return range as ImageRange;
  });
}

/**
 * Ranges without what QEMU guesses: that a cluster reads as zeroes because the
 * image's file has a hole there.
 */
function merged(ranges: readonly QemuRange[]): QemuRange[] {
  const all: QemuRange[] = [];
  for (const { data, zero, ...where } of ranges) {
    const next = { ...where, data: data!, zero: zero! && !data };
    const last = all.at(-1);
    if (last !== undefined && isContinued(last, next)) {
      const length = last.length! + next.length!;
      all.splice(-1, 1, { ...last, length });
    } else {
      all.push(next);
    }
  }
  return all;
}

function isContinued(last: QemuRange, next: QemuRange): boolean {
  const follows = last.offset === undefined
    ? next.offset === undefined
    : next.offset === last.offset + last.length!;
  const keys = ["depth", "present", "data", "zero", "compressed"] as const;
  return follows && keys.every((key) => last[key] === next[key]);
}

function asQemu(
  { offset, compressed, ...range }: ImageRange,
  isTold: boolean,
): QemuRange {
  return {
    ...range,
    ...isTold ? { compressed } : {},
    ...offset === null ? {} : { offset },
  };
}
