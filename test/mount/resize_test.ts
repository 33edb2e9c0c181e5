/**
 * Exports that their owner resizes: programs that have the file open see the
 * new size, and loop devices too.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { updateLoopSize } from "../../src/linux/mount/loop_devices.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import {
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
  sizeOf,
  within,
} from "./_harness.ts";
import { loopDevice } from "./_loop.ts";
import { Readers } from "./_readers.ts";
import { uringTest } from "./_uring.ts";

/** Sends a command to a control socket, and stats nothing; returns the reply. */
async function command(socket: string, request: unknown): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path: socket });
  const line = `${JSON.stringify(request)}\n`;
  await connection.write(new TextEncoder().encode(line));
  await connection.closeWrite();
  const answer = new Response(connection.readable).text();
  return await within(answer, "the control socket");
}

/** The size of a loop device in bytes. */
async function deviceSize(path: string): Promise<number> {
  return Number(await must("blockdev", "--getsize64", path));
}

/** Resizes an export up and down, beside programs that use it. */
async function resizeBesideReaders(
  directory: string,
  transport: string,
): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, 4 * MIB);
  const socket = `${directory}/sock`;
  const options = ["-wq2", `--transport=${transport}`, `--control=${socket}`];
  await using _ = await ExportProcess.start([...options, image, mountpoint]);
  await using readers = await Readers.open(mountpoint, 16 * MIB);
  await using loop = await loopDevice("--direct-io=on", mountpoint);
  const first = (await Deno.readFile(image))[MIB]!;
  const seen = async (position: number) => [
    await readers.read("aio", position),
    await readers.read("pread", position),
    await readers.read("map", position),
  ];
  const whole = ["4096 0", "4096 0", "1 0"];
  const old = [`4096 ${first}`, `4096 ${first}`, `1 ${first}`];

  // A client of the socket that never touches the mount.
  for (const [size, inside] of [[8 * MIB, 6 * MIB], [8 * MIB + 1, 0]]) {
    const reply = await command(socket, { command: "resize", size });
    assertMatch(reply, /"ok":true/);
    if (inside !== 0) assertEquals(await seen(inside!), whole);
    assertEquals(await readers.read("aio", size! - 1), "1 0");
    assertEquals(await readers.read("map", size! - 1), "1 0");
  }
  assertEquals(await seen(MIB), old);
  assertEquals(await deviceSize(loop.path), 4 * MIB);

  const grown = await runMain(["ctl", socket, "resize", "12M"]);
  assertEquals([grown.code, grown.stderr], [0, "Resized\n"]);
  assertEquals(await deviceSize(loop.path), 12 * MIB);
  assertEquals(await seen(10 * MIB), whole);
  const far = ["bs=4k", "count=4", "status=none"];
  const to = ["if=/dev/zero", `of=${loop.path}`, "seek=3000", "oflag=direct"];
  await must("dd", ...far, ...to);

  const shrunk = await command(socket, { command: "resize", size: 2 * MIB });
  assertMatch(shrunk, /"ok":true/);
  assertEquals(await seen(10 * MIB), ["0", "0", "SIGBUS"]);
  assertEquals(await seen(3 * MIB), ["0", "0", "SIGBUS"]);
  assertEquals(await seen(MIB), old);
  assertEquals(await sizeOf(mountpoint), 2 * MIB);
  assertEquals((await runMain(["ctl", socket, "resize", "3M"])).code, 0);
  assertEquals(await deviceSize(loop.path), 3 * MIB);
  assertEquals(await seen(2 * MIB + 4096), whole);
  assertEquals(await sizeOf(mountpoint), 3 * MIB);
}

/** Seconds after which an export is awoken although the test has not done it. */
const RESCUE_S = 20;
const PROGRAMS = ["losetup", "blockdev", "python3"];

mountTest(
  "every reader sees that an export was resized",
  (directory) => resizeBesideReaders(directory, "device"),
  PROGRAMS,
);

uringTest(
  "every reader sees that an export was resized, over io_uring",
  (directory) => resizeBesideReaders(directory, "uring"),
  PROGRAMS,
);

/** Resizes a loop device while its export is stopped. */
async function holdUpNothing(
  process: ExportProcess,
  mountpoint: string,
  socket: string,
): Promise<void> {
  await using loop = await loopDevice(mountpoint);
  const reply = await command(socket, { command: "resize", size: 8 * MIB });
  assertMatch(reply, /"ok":true/);
  process.signal("SIGSTOP");
  // If this thread waits for the export, it cannot send SIGCONT itself.
  const rescue = new Deno.Command("sh", {
    args: ["-c", `sleep ${RESCUE_S}; kill -CONT ${process.pid}`],
  }).spawn();
  const started = performance.now();
  const updated = updateLoopSize(loop.path);
  await new Promise((resolve) => setTimeout(resolve, 300));
  process.signal("SIGCONT");
  await within(updated, "the loop device");
  assert(performance.now() - started < RESCUE_S * 500);
  rescue.kill();
  await rescue.status;
  assertEquals(await deviceSize(loop.path), 8 * MIB);
  await assertRejects(
    () => updateLoopSize("/dev/null"),
    SystemError,
    "Cannot set the size of /dev/null: ENOTTY",
  );
  await assertRejects(
    () => updateLoopSize(`${mountpoint}.none`),
    SystemError,
    "No such file or directory",
  );
}

mountTest(
  "a loop device whose export does not answer holds up nothing else",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 4 * MIB);
    const socket = `${directory}/sock`;
    const options = ["-w", `--control=${socket}`];
    await using process = await ExportProcess.start([
      ...options,
      image,
      mountpoint,
    ]);
    await holdUpNothing(process, mountpoint, socket);
    assertEquals((await process.stop()).code, 0);
  },
  PROGRAMS,
);
