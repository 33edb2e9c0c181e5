/**
 * One image that QEMU makes, and both programs change in turn.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { inDirectory } from "../mount/_harness.ts";
import { ExportProcess } from "../mount/_export_process.ts";
import { runFor } from "../mount/_clients.ts";
import { hasSetting, withSetting } from "../mount/_uring.ts";
import { Random } from "../_random.ts";
import { assertAgree } from "./agree.ts";
import { buildChain, change, SNAPSHOT, TOP } from "./build_chain.ts";
import type { ImageCase } from "./plan.ts";
import type { QemuTools } from "./tools.ts";

const CLIENT = new URL("./_load_client.py", import.meta.url).pathname;
/** Seconds that a load may take; the client notices when it gets no further. */
const LOAD_S = 900;
/** Milliseconds that an image may take. */
const LIMIT_MS = 3_600_000;

/** How an image is compared. */
export interface CompareOptions {
  readonly tools: QemuTools;
  readonly image: ImageCase;
  readonly seed: number;
  /** Operations on the mounted image, over each transport. */
  readonly operations: number;
  /** `device`, `uring`. */
  readonly transports: readonly string[];
}

/** Both transports, as far as this kernel has them. */
export function allTransports(): string[] {
  return hasSetting() ? ["device", "uring"] : ["device"];
}

/**
 * Lets QEMU make an image, then over each transport clients of its mount change
 * it, then QEMU again. Each time, both programs have to agree about it.
 *
 * @returns How many operations of each kind succeeded.
 */
export async function compareImage(
  options: CompareOptions,
): Promise<Record<string, number>> {
  const sum: Record<string, number> = {};
  await inDirectory(async (directory) => {
    const { tools, image, seed, transports } = options;
    const random = new Random(seed);
    const below = await buildChain(tools, directory, image, random);
    const untouched = await hashesOf(directory, below);
    const snapshot = image.snapshot ? await snapshotOf(tools, directory) : "";
    await Deno.writeTextFile(`${directory}/mnt.img`, "");
    for (const transport of transports) {
      const load = () => loadOver(transport, directory, options, random);
      const counts = transport === "uring"
        ? await withSetting("Y", load)
        : await load();
      for (const [kind, count] of Object.entries(counts)) {
        sum[kind] = (sum[kind] ?? 0) + count;
      }
      const { size } = await Deno.stat(`${directory}/model.raw`);
      await change(tools, directory, TOP, { random, size, kind: image });
    }
    assertEquals(await hashesOf(directory, below), untouched);
    if (image.snapshot) {
      assertEquals(await snapshotOf(tools, directory), snapshot);
    }
    await tools.img(directory, "check", "-q", TOP);
  }, LIMIT_MS);
  return sum;
}

/** Compares an image before and after a load on its mount. */
async function loadOver(
  transport: string,
  directory: string,
  { tools, image, operations }: CompareOptions,
  random: Random,
): Promise<Record<string, number>> {
  const [mountpoint, model] = ["mnt.img", "model.raw"]
    .map((name) => `${directory}/${name}`);
  const convert = ["convert", "-f", "qcow2", "-O", "raw"];
  await tools.img(directory, ...convert, TOP, "model.raw");
  await assertAgree(tools, directory, TOP, "model.raw");
  const cacheSize = random.pick(["0", "64k", "32M"]);
  const args = ["-wq4", `--cache-size=${cacheSize}`];
  args.push(`--transport=${transport}`, `qcow2:${directory}/${TOP}`);
  const process = await ExportProcess.start([...args, mountpoint!], {
    lifeS: 2 * LOAD_S,
    limitMs: LOAD_S * 1000,
  });
  await using _ = process;
  const numbers = [random.below(1e6), operations, image.clusterSize];
  const { code, stdout, stderr } = await runFor(
    LOAD_S,
    ...["python3", CLIENT, mountpoint!, model!] as const,
    ...numbers.map(String),
  );
  assertEquals([code, stderr], [0, ""], `over ${transport}`);
  const raw = ["compare", "-q", "-U", "-f", "raw", "-F", "raw"];
  await tools.img(directory, ...raw, mountpoint!, model!);
  const ended = await process.stop();
  assertEquals(ended.code, 0, ended.stderr);
  await assertAgree(tools, directory, TOP, "model.raw");
  return JSON.parse(stdout);
}

/** What the snapshot reads as. */
async function snapshotOf(
  tools: QemuTools,
  directory: string,
): Promise<string> {
  const convert = ["convert", "-f", "qcow2", "-O", "raw", "-l", SNAPSHOT];
  await tools.img(directory, ...convert, TOP, "snapshot.raw");
  const [hash] = await hashesOf(directory, ["snapshot.raw"]);
  await Deno.remove(`${directory}/snapshot.raw`);
  return hash!;
}

async function hashesOf(
  directory: string,
  names: readonly string[],
): Promise<string[]> {
  return await Promise.all(names.map(async (name) => {
    const bytes = await Deno.readFile(`${directory}/${name}`);
    const hash = await crypto.subtle.digest("SHA-256", bytes);
    return new Uint8Array(hash).toHex();
  }));
}
