/** Snapshots of a qcow2 image that programs write to through several queues. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  CountingWriter,
  lastNumber,
  type NumberedBlocks,
} from "./_counting_writer.ts";
import {
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
} from "./_harness.ts";

/** Bytes that fio writes; numbers are written after them. */
const FIO_BYTES = 16 * MIB;
/** So few that all are written again and again. */
const BLOCKS: NumberedBlocks = { start: FIO_BYTES, count: 300 };
const SIZE = FIO_BYTES + BLOCKS.count * 4096;
/** Seconds after which a client has failed. */
const LIMIT_S = 120;

/** The disk of a snapshot, as QEMU reads it. */
async function diskOf(
  directory: string,
  image: string,
  snapshot: string,
): Promise<Uint8Array> {
  const path = `${directory}/snapshot.raw`;
  const from = ["-l", `snapshot.name=${snapshot}`, "-f", "qcow2", image];
  await must("qemu-img", "convert", ...from, "-O", "raw", path);
  return await Deno.readFile(path);
}

mountTest(
  "ctl snapshot keeps what was written before, while fio and a program write",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const image = `${directory}/disk.qcow2`;
    const options = ["-o", "cluster_size=4k", image, `${SIZE}`];
    await must("qemu-img", "create", "-q", "-f", "qcow2", ...options);
    const socket = `${directory}/sock`;
    const source = `qcow2:${image}`;
    const args = ["-w", "-q3", `--control=${socket}`, source, mountpoint];
    await using process = await ExportProcess.start(args);
    const snapshot = (...words: string[]) =>
      runMain(["ctl", socket, `--timeout=${LIMIT_S}`, "snapshot", ...words]);
    const done = async (...words: string[]) => {
      const { code, stdout, stderr } = await snapshot(...words);
      assertEquals(code, 0, stderr);
      return stdout;
    };
    const told = `${directory}/progress`;
    await using writer = new CountingWriter(mountpoint, BLOCKS, told);
    const fio = new Deno.Command("timeout", {
      args: [`${LIMIT_S}`, "fio", "--name=load", `--filename=${mountpoint}`]
        .concat("--rw=randrw", "--bs=4k", `--size=${FIO_BYTES}`, "--verify=md5")
        .concat("--verify_fatal=1", "--ioengine=psync", "--numjobs=1")
        .concat("--fsync=64", "--loops=3", `--aux-path=${directory}`),
      stdout: "null",
      stderr: "piped",
    }).output();
    const marks = new Map<string, readonly [number, number]>();
    for (const name of ["one", "two", "three", "four"]) {
      await writer.until(marks.size * 40 + 1);
      const [written] = await writer.progress();
      await done("create", name);
      const [, begun] = await writer.progress();
      marks.set(name, [written, begun]);
      if (name === "three") await done("delete", "two");
    }
    assertMatch(await done("list"), /three[^]*four/);
    const { code, stderr } = await fio;
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    await writer[Symbol.asyncDispose]();
    const [, last] = await writer.progress();
    const now = `${directory}/now.raw`;
    await Deno.copyFile(mountpoint, now);
    assert(lastNumber(await Deno.readFile(now), BLOCKS) >= last - 1);
    assertEquals((await process.stop()).code, 0);

    await must("qemu-img", "check", "-q", "-f", "qcow2", image);
    await must("qemu-img", "compare", "-q", "-f", "qcow2", image, now);
    marks.delete("two");
    for (const [name, [least, most]] of marks) {
      const disk = await diskOf(directory, image, name);
      const last = lastNumber(disk, BLOCKS);
      assert(last >= least && last <= most, `${least} ${last} ${most}`);
    }
  },
  ["qemu-img", "fio", "python3", "timeout"],
);

mountTest(
  "ctl snapshot refuses what it cannot do, and says what to do",
  async (directory) => {
    const { image: raw, mountpoint } = await imageIn(directory, MIB);
    const image = `${directory}/disk.qcow2`;
    const overlay = `${directory}/overlay.qcow2`;
    await must("qemu-img", "create", "-q", "-f", "qcow2", image, "1M");
    const socket = `${directory}/sock`;
    const refusals = [
      [[raw], "create", /disk\.img: only qcow2 images have snapshots/],
      [["-w", raw], "create", /only qcow2 images have snapshots; export one/],
      [[`qcow2:${image}`], "create", /it is read-only; export it for writing/],
      [["-w", `qcow2:${image}`], "apply", /while it is exported: programs/],
      [["-w", `qcow2:${image}`], "delete", /it has no snapshots/],
      [
        ["-w", "--cache=writeback", `qcow2:${image}`],
        "create",
        /the kernel may hold writes back/,
      ],
      [
        ["-w", `--overlay=${overlay}`, `qcow2:${image}`],
        "create",
        /its changes are kept in an overlay/,
      ],
    ] as const;
    for (const [args, action, said] of refusals) {
      const all = [`--control=${socket}`, ...args, mountpoint];
      await using process = await ExportProcess.start(all);
      const ctl = (...words: string[]) =>
        runMain(["ctl", socket, "snapshot", ...words]);
      const { code, stderr } = await ctl(action, "one");
      assertEquals(code, 1, stderr);
      assertMatch(stderr, said);
      const isListed = args.at(-1)!.startsWith("qcow2:") &&
        action !== "create";
      if (isListed) assertMatch((await ctl("list")).stdout, /no snapshots/);
      assertEquals((await process.stop()).code, 0);
    }
    // One that is only read lists those that it has, and shows any of them.
    await must("qemu-img", "snapshot", "-c", "old", image);
    const show = ["--snapshot=old", `--control=${socket}`, `qcow2:${image}`];
    await using process = await ExportProcess.start([...show, mountpoint]);
    const list = await runMain(["ctl", socket, "snapshot", "list", "--json"]);
    assertEquals(JSON.parse(list.stdout).snapshots[0].name, "old");
    assertEquals((await process.stop()).code, 0);
  },
  ["qemu-img"],
);
