/**
 * Exports of RBD images while the cluster's only OSD is stopped and killed: all
 * that programs notice is that they wait.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Ended,
  eventually,
  ExportProcess,
  isMounted,
  pause,
  runFor,
  within,
} from "../mount/_harness.ts";
import { CephCluster, RbdServer } from "./ceph_cluster.ts";
import type { Trial } from "./inside.ts";
import { PATIENCE_MS, PATIENCE_S, patiently } from "./patience.ts";

/** Seconds that the OSD is away. */
const AWAY_S = 3;
/** Seconds between two stops of the OSD. */
const BETWEEN_S = 12;
/** `--reconnect`: what an outage may cost programs, in seconds. */
const RECONNECT_S = 60;
/** Another one, for what a longer outage costs. */
const SHORT_S = 6;
const MIB = 1 << 20;
const LOAD_MIB = 128;
const QUEUES = 4;

/** A mount of an RBD image. */
interface Mounted {
  readonly path: string;
  readonly process: ExportProcess;
}

/** Tries a file system, then a load, on images of a cluster of one OSD. */
export async function tryCeph(trial: Trial): Promise<void> {
  const start = performance.now();
  await using cluster = await CephCluster.start(`${trial.directory}/ceph`);
  trial.tell(`a monitor and an OSD are up in ${secondsSince(start)} s`);
  await tryFileSystem(trial, cluster);
  await tryLoad(trial, cluster);
  await tryAbsence(trial, cluster);
}

/** Makes an image, and shows it while a body runs. */
async function withImage(
  { directory }: Trial,
  name: string,
  mib: number,
  reconnectS: number,
  body: (mounted: Mounted) => Promise<void>,
): Promise<void> {
  await patiently("rbd", "create", "--size", `${mib}M`, `rbd/${name}`);
  const path = `${directory}/${name}.img`;
  await Deno.writeTextFile(path, "");
  await using server = await RbdServer.start(`rbd/${name}`, directory);
  const args = [`-wq${QUEUES}`, `--reconnect=${reconnectS}`, server.uri, path];
  const patient = { lifeS: 1800, limitMs: PATIENCE_MS };
  await using process = await ExportProcess.start(args, patient);
  await body({ path, process });
}

/** ext4 is made, a tree is copied to it while the OSD is killed twice. */
async function tryFileSystem(
  trial: Trial,
  cluster: CephCluster,
): Promise<void> {
  await withImage(
    trial,
    "tree",
    192,
    RECONNECT_S,
    async ({ path, process }) => {
      await patiently("mkfs.ext4", "-q", "-F", path);
      const folder = `${trial.directory}/folder`;
      const tree = `${trial.directory}/source`;
      await makeTree(tree);
      await Deno.mkdir(folder);
      const start = performance.now();
      const copied = await withFileSystem(
        path,
        folder,
        "rw",
        async () => {
          const copying = copyTree(tree, folder);
          for (let i = 0; i < 2; i++) {
            await cluster.stopOsdFor(AWAY_S, "KILL");
            await pause(1000);
          }
          return await copying;
        },
      );
      const took = secondsSince(start);
      await patiently("e2fsck", "-fn", path);
      await withFileSystem(path, folder, "ro", async () => {
        await patiently("diff", "-r", tree, `${folder}/tree`);
      });
      await compareWithCluster("tree", path);
      assertEquals((await process.stop()).code, 0);
      trial.tell(
        `mkfs.ext4, ${copied} copied in ${took} s ` +
          `with 2 kills of the OSD, away for ${AWAY_S} s each: ` +
          "e2fsck finds nothing, all files are right, and so is the image",
      );
    },
  );
}

/** What is copied: the sources of this repository, as they are at the start. */
async function makeTree(tree: string): Promise<void> {
  const source = new URL("../../src", import.meta.url).pathname;
  await patiently("cp", "-r", source, tree);
}

/** Copies the tree into a folder; returns how much that is. */
async function copyTree(tree: string, folder: string): Promise<string> {
  await patiently("cp", "-r", tree, `${folder}/tree`);
  await patiently("sync", "-f", folder);
  const files = (await patiently("find", tree, "-type", "f")).stdout;
  const mebibytes = parseInt((await patiently("du", "-sm", tree)).stdout);
  return `${files.trim().split("\n").length} files (${mebibytes} MiB)`;
}

/** Mounts the ext4 of an image by fuse2fs while a body runs. */
async function withFileSystem<T>(
  path: string,
  folder: string,
  mode: "rw" | "ro",
  body: () => Promise<T>,
): Promise<T> {
  const child = new Deno.Command("fuse2fs", {
    args: ["-f", "-o", mode, path, folder],
    stdin: "null",
  }).spawn();
  await eventually(() => isMounted(folder), "fuse2fs mounts", PATIENCE_MS);
  const result = await body();
  await patiently("umount", folder);
  // It has written everything when it ends.
  const { code } = await within(child.status, "fuse2fs ends", PATIENCE_MS);
  assertEquals(code, 0);
  return result;
}

/** fio writes and verifies while the OSD is stopped and killed in turn. */
async function tryLoad(trial: Trial, cluster: CephCluster): Promise<void> {
  await withImage(
    trial,
    "load",
    LOAD_MIB,
    RECONNECT_S,
    async ({ path, process }) => {
      const load = verifiedLoad(path, trial.seconds);
      const stops = Math.max(2, Math.floor(trial.seconds / BETWEEN_S) - 1);
      for (let i = 0; i < stops; i++) {
        await pause((BETWEEN_S - AWAY_S) * 1000);
        await cluster.stopOsdFor(AWAY_S, i % 2 === 0 ? "TERM" : "KILL");
      }
      const { code, stdout, stderr } = await load;
      assertEquals(code, 0, stdout + stderr);
      const { reads, writes, longestS } = figuresOf(stdout);
      assert(longestS >= AWAY_S, `no request has waited: ${longestS} s`);
      assert(longestS < RECONNECT_S, `a request has waited for ${longestS} s`);
      await patiently("sync", path);
      // The cluster's own word for it, after a death that nothing could foresee.
      await cluster.stopOsdFor(0, "KILL");
      await compareWithCluster("load", path);
      assertEquals((await process.stop()).code, 0);
      trial.tell(
        `${reads} reads and ${writes} writes in ${trial.seconds} s, verified, ` +
          `by ${QUEUES} programs, with ${stops} stops of the OSD (SIGTERM and ` +
          `SIGKILL in turn), away for ${AWAY_S} s each: no error, no byte ` +
          `lost, the longest request took ${longestS.toFixed(1)} s`,
      );
    },
  );
}

function verifiedLoad(path: string, seconds: number): Promise<Ended> {
  const part = LOAD_MIB * MIB / QUEUES;
  return runFor(
    seconds + PATIENCE_S,
    "fio",
    ...["--name=v", `--filename=${path}`, "--rw=randrw", "--direct=1"],
    ...["--bsrange=4k-64k", "--ioengine=libaio", "--iodepth=8"],
    ...[`--numjobs=${QUEUES}`, `--size=${part}`, `--offset_increment=${part}`],
    ...["--verify=crc32c", "--verify_backlog=64", "--verify_fatal=1"],
    ...["--verify_state_save=0", "--group_reporting", "--fsync=256"],
    ...["--time_based", `--runtime=${seconds}`, "--allow_mounted_write=1"],
    "--output-format=json",
  );
}

/** What fio counted, and the longest that a request took, in seconds. */
function figuresOf(
  stdout: string,
): { reads: number; writes: number; longestS: number } {
  // Above it are warnings.
  const json = stdout.slice(stdout.indexOf("{\n"));
  const { read, write } = JSON.parse(json).jobs[0];
  const longest = Math.max(read.clat_ns.max, write.clat_ns.max);
  return {
    reads: read.total_ios,
    writes: write.total_ios,
    longestS: longest / 1e9,
  };
}

/** A cluster that is away for longer than `--reconnect`: EIO, until it is back. */
async function tryAbsence(trial: Trial, cluster: CephCluster): Promise<void> {
  await withImage(trial, "absent", 16, SHORT_S, async ({ path, process }) => {
    const read = () => {
      const args = [`if=${path}`, "of=/dev/null", "bs=64k", "count=1"];
      return runFor(PATIENCE_S, "dd", ...args, "iflag=direct");
    };
    // What was never written is read without asking the OSD.
    const zeroes = ["if=/dev/zero", `of=${path}`, "bs=1M", "count=4"];
    await patiently("dd", ...zeroes, "conv=notrunc,fsync", "status=none");
    await cluster.stopOsd("KILL");
    const start = performance.now();
    const { code, stderr } = await read();
    const took = secondsSince(start);
    assertEquals(code, 1);
    assertMatch(stderr, /Input\/output error/);
    await cluster.startOsd();
    await eventually(
      async () => (await read()).code === 0,
      "reads work again",
      PATIENCE_MS,
    );
    const end = await process.stop();
    assertEquals(end.code, 0, end.stderr);
    trial.tell(
      `with --reconnect=${SHORT_S} and an OSD that stays away, a read fails ` +
        `with EIO after ${took} s; once the OSD is back, reads work again. ` +
        `The export said: ${end.stderr.trim().replaceAll("\n", " | ")}`,
    );
  });
}

/** Requires that the image in the cluster is what the mount shows. */
async function compareWithCluster(name: string, path: string): Promise<void> {
  const line = 'set -o pipefail; rbd export --no-progress "$1" - | cmp - "$2"';
  await patiently("bash", "-c", line, "bash", `rbd/${name}`, path);
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}
