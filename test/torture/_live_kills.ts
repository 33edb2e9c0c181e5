/**
 * Kills of an export in the middle of `ctl snapshot`, while a program writes. The
 * snapshot is there or not, and if it is, it is of one moment.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  CountingWriter,
  lastNumber,
  type NumberedBlocks,
} from "../mount/_counting_writer.ts";
import { ExportProcess, must, runMain } from "../mount/_harness.ts";
import { emptyFile } from "./_harness.ts";
import type { Series } from "./_image_kills.ts";

const BLOCKS: NumberedBlocks = { start: 4 << 20, count: 64 };
const SIZE = BLOCKS.start + BLOCKS.count * 4096;
/** Snapshots that are kept at most. */
const KEPT_MAX = 6;
const IMAGE = "live.qcow2";

/** What is done to which snapshot. */
interface Change {
  readonly action: "create" | "delete";
  readonly name: string;
}

/** What was seen of a change that may have been killed. */
interface Outcome {
  /** Whether it was said to be done. */
  readonly isDone: boolean;
  /** Numbers that a new snapshot has at least, and at most. */
  readonly least: number;
  readonly most: number;
  /** A number that was not written yet. */
  readonly next: number;
  /** How long the change took, or until the kill. */
  readonly tookMs: number;
}

/** Kills exports, over and over. */
export async function killLive(series: Series, kills: number): Promise<void> {
  const { random } = series;
  const options = ["-q", "-f", "qcow2", "-o", "cluster_size=4k", IMAGE];
  await series.img("create", ...options, `${SIZE}`);
  /** The disk of each snapshot. */
  const kept = new Map<string, Uint8Array>();
  let next = 1;
  let tookMs = 1000;
  for (let round = 0; series.killed < kills; round++) {
    const isNew = kept.size < 2 || (kept.size < KEPT_MAX && random.oneIn(2));
    const change: Change = isNew
      ? { action: "create", name: `s${round}` }
      : { action: "delete", name: random.pick([...kept.keys()]) };
    const killMs = tookMs * (0.3 + 0.8 * random.below(1000) / 1000);
    const outcome = await changeAndKill(series, change, next, killMs);
    next = outcome.next;
    if (outcome.isDone) {
      series.finished++;
      tookMs = (tookMs + outcome.tookMs) / 2;
    } else {
      series.killed++;
    }
    await series.assertSound(IMAGE);
    const info = ["info", "--output=json", "-f", "qcow2", IMAGE];
    const { snapshots = [] } = JSON.parse(await series.img(...info));
    const names: string[] = snapshots.map(({ name }: { name: string }) => name);
    await checkChange(series, change, outcome, names, kept);
    assertEquals(names.toSorted(), [...kept.keys()].toSorted());
    for (const [name, disk] of kept) {
      assertEquals(await diskOf(series, name), disk, `snapshot ${name}`);
    }
  }
}

/** Requires that a change was done or not, and takes its result over. */
async function checkChange(
  series: Series,
  { action, name }: Change,
  { isDone, least, most }: Outcome,
  names: readonly string[],
  kept: Map<string, Uint8Array>,
): Promise<void> {
  const isThere = names.includes(name);
  if (action === "delete") {
    assert(!(isDone && isThere), `${name} is still there`);
    if (!isThere) kept.delete(name);
    return;
  }
  assert(isThere || !isDone, `${name} is not there`);
  if (!isThere) return;
  const disk = await diskOf(series, name);
  const last = lastNumber(disk, BLOCKS);
  assert(last >= least && last <= most, `${least} ${last} ${most}`);
  kept.set(name, disk);
}

/** Exports the image, changes its snapshots, and kills the export. */
async function changeAndKill(
  { directory }: Series,
  { action, name }: Change,
  first: number,
  killMs: number,
): Promise<Outcome> {
  const mountpoint = await emptyFile(`${directory}/mnt`);
  const socket = `${directory}/sock`;
  await Deno.remove(socket).catch(() => {});
  const source = `qcow2:${directory}/${IMAGE}`;
  const args = ["-w", "-q2", `--control=${socket}`, source, mountpoint];
  await using server = await ExportProcess.start(args);
  const told = `${directory}/told`;
  await Deno.remove(told).catch(() => {});
  await using writer = new CountingWriter(mountpoint, BLOCKS, told, first);
  // What the kill before has lost is written again.
  await writer.until(first + BLOCKS.count);
  const [least] = await writer.progress();
  const begun = performance.now();
  const ctl = runMain(["ctl", socket, "snapshot", action, name]);
  const timer = setTimeout(() => server.signal("SIGKILL"), killMs);
  const { code } = await ctl;
  const tookMs = performance.now() - begun;
  const [, most] = await writer.progress();
  clearTimeout(timer);
  if (code === 0) server.signal("SIGKILL");
  await server.ended;
  await must("umount", "-l", mountpoint);
  const [, last] = await writer.progress();
  const isDone = code === 0;
  const next = last + 1;
  return { isDone, least, most: isDone ? most : last, next, tookMs };
}

async function diskOf(series: Series, name: string): Promise<Uint8Array> {
  const from = ["-l", `snapshot.name=${name}`, "-f", "qcow2", IMAGE];
  await series.img("convert", ...from, "-O", "raw", "live.raw");
  return await Deno.readFile(`${series.directory}/live.raw`);
}
