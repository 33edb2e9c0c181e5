/**
 * Ending an export while programs use its file.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { MountUser } from "../../src/linux/mount/mount_users.ts";
import {
  type Ended,
  eventually,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  run,
  runMain,
  sideBySide,
  within,
} from "./_harness.ts";
import { uringTest } from "./_uring.ts";

/** Longer than any test, so that an end shows that the users have left. */
const LONG = "--stop-timeout=50";
const END_MS = 30_000;

/** A program that uses a file until it is told to end. */
interface Client extends AsyncDisposable {
  readonly pid: number;
  /** Lets it end by itself, and waits for that. */
  leave(): Promise<void>;
}

/** Starts a program that prints a line once it uses the file. */
async function client(program: string, ...args: string[]): Promise<Client> {
  const child = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await within(reader.read(), "the client opens the file");
  let left = false;
  const leave = async () => {
    if (left) return;
    left = true;
    await child.stdin.close();
    await reader.cancel();
    await within(child.status, "the client ends");
  };
  return { pid: child.pid, leave, [Symbol.asyncDispose]: leave };
}

function holdOpen(path: string): Promise<Client> {
  return client("sh", "-c", 'exec 3<>"$1"; echo open; read line', "sh", path);
}

function holdMapped(path: string): Promise<Client> {
  // Python's own mmap keeps a descriptor.
  const lines = [
    "import ctypes, os, sys",
    "fd = os.open(sys.argv[1], os.O_RDWR)",
    "libc = ctypes.CDLL(None)",
    "libc.mmap.restype = ctypes.c_void_p",
    "size, offset = ctypes.c_size_t(4096), ctypes.c_long(0)",
    "memory = libc.mmap(None, size, 3, 1, fd, offset)",
    "os.close(fd)",
    "ctypes.memmove(memory, b'dirt', 4)",
    "print('mapped', flush=True)",
    "sys.stdin.read()",
  ];
  return client("python3", "-c", lines.join("\n"), path);
}

/** Waits until the export says what uses its file. */
async function usersOf(process: ExportProcess): Promise<MountUser[]> {
  const find = () => process.events.findLast(({ event }) => event === "in-use");
  await eventually(() => find() !== undefined, "the export names its users");
  return find()!.users as MountUser[];
}

function ended(process: ExportProcess): Promise<Ended> {
  return within(process.ended, "the end of the export", END_MS);
}

/** Stops an export whose file a client has open. */
async function waitForClient(
  directory: string,
  options: readonly string[],
): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const socket = `${directory}/sock`;
  const args = ["-w", LONG, `--control=${socket}`, image, mountpoint];
  await using process = await ExportProcess.start([...options, ...args]);
  await using holder = await holdOpen(mountpoint);
  process.signal("SIGTERM");
  assertEquals(await usersOf(process), [
    { kind: "process", pid: holder.pid, name: "sh", how: "descriptor" },
  ]);
  // It serves on: programs that open the file now, and its control socket.
  const write = ["if=/dev/zero", "bs=4k", "count=4", "conv=notrunc,fsync"];
  await must("dd", ...write, `of=${mountpoint}`);
  await must("cmp", image, mountpoint);
  const { code: queried } = await runMain(["ctl", socket, "query"]);
  assertEquals(queried, 0);
  await holder.leave();
  const { code, stderr } = await ended(process);
  assertEquals(code, 0, stderr);
  assertMatch(
    stderr,
    /mnt.img is in use by sh \(process \d+\).*waiting for up to 50 s/,
  );
  assertEquals(isMounted(mountpoint), false);
}

mountTest(
  "an export waits at its end for a client, and serves on meanwhile",
  async (directory) => await waitForClient(directory, ["-q2"]),
  ["cmp"],
);

uringTest(
  "an export over io_uring waits at its end for a client",
  async (directory) =>
    await waitForClient(directory, ["-q2", "--transport=uring"]),
  ["cmp"],
);

mountTest(
  "an export waits at its end for a memory mapping",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const args = ["-w", LONG, image, mountpoint];
    await using process = await ExportProcess.start(args);
    await using holder = await holdMapped(mountpoint);
    process.signal("SIGINT");
    const users = await usersOf(process);
    const user = users.find((each) =>
      each.kind === "process" && each.pid === holder.pid
    );
    assertEquals(user?.kind === "process" && user.how, "mapping");
    await holder.leave();
    const { code, stderr } = await ended(process);
    assertEquals(code, 0, stderr);
    assertEquals((await Deno.readTextFile(image)).slice(0, 4), "dirt");
  },
  ["python3"],
);

/** Mounts a file system with dirty data on the file, and stops the export. */
async function waitForLoop(
  directory: string,
  options: readonly string[],
): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, 32 * MIB);
  const root = `${directory}/root`;
  const data = `${directory}/data`;
  await Deno.mkdir(root);
  await must("dd", "if=/dev/urandom", `of=${data}`, "bs=1M", "count=4");
  await must("mkfs.ext4", "-q", "-F", image);
  const args = ["-w", "--direct", LONG, image, mountpoint];
  await using process = await ExportProcess.start([...options, ...args]);
  const loop = await must("losetup", "--find", "--show", mountpoint);
  try {
    await must("mount", "-o", "commit=300", loop, root);
    await must("cp", data, `${root}/data`);
    process.signal("SIGTERM");
    const use = `ext4 mounted on ${root}`;
    assertEquals(await usersOf(process), [
      { kind: "loop", device: loop, usedAs: [use] },
    ]);
    await must("umount", root);
    await must("losetup", "--detach", loop);
    const { code, stderr } = await ended(process);
    assertEquals(code, 0, stderr);
  } finally {
    await run("umount", root);
    await run("losetup", "--detach", loop);
  }
  await must("e2fsck", "-f", "-n", image);
  await must("debugfs", "-R", `dump /data ${directory}/copy`, image);
  await must("cmp", data, `${directory}/copy`);
}

const LOOP = ["losetup", "mount", "mkfs.ext4", "e2fsck", "debugfs", "cmp"];

mountTest(
  "dirty data of a mounted loop device reaches the image before the end",
  async (directory) => await waitForLoop(directory, ["-q2"]),
  LOOP,
);

uringTest(
  "dirty data of a mounted loop device reaches the image over io_uring",
  async (directory) =>
    await waitForLoop(directory, ["-q2", "--transport=uring"]),
  LOOP,
);

/** Ends an export by force while a client has its file open. */
async function endByForce(
  directory: string,
  options: readonly string[],
  stop: (process: ExportProcess) => Promise<void>,
): Promise<void> {
  await Deno.mkdir(directory);
  const { image, mountpoint } = await imageIn(directory, MIB);
  const args = ["-w", ...options, image, mountpoint];
  await using process = await ExportProcess.start(args);
  await using holder = await holdOpen(mountpoint);
  await stop(process);
  const { code, stderr } = await ended(process);
  assertEquals(code, 1, stderr);
  const error = process.events.find(({ event }) => event === "error");
  // Without CAP_SYS_PTRACE there may be others.
  const message = String(error?.message).replace(/ and perhaps [^:]*/, "");
  assertEquals(
    message,
    `Unmounted ${mountpoint} while it was in use by sh (process ${holder.pid}): what had not yet been written to it may be lost`,
  );
  assertEquals(isMounted(mountpoint), false);
}

mountTest(
  "an export that is still in use at its end says so, with status 1",
  async (directory, t) => {
    await sideBySide(t, [
      ["after its time is up", () =>
        endByForce(
          `${directory}/1`,
          ["--stop-timeout=1.5"],
          (process) => Promise.resolve(process.signal("SIGTERM")),
        )],
      [
        "at a second signal",
        () =>
          endByForce(`${directory}/2`, [LONG], async (process) => {
            process.signal("SIGTERM");
            await usersOf(process);
            await process.signalAgain("SIGTERM");
          }),
      ],
      ["without a wait", () =>
        endByForce(
          `${directory}/3`,
          ["--stop-timeout=0"],
          (process) => Promise.resolve(process.signal("SIGTERM")),
        )],
    ]);
  },
);

mountTest(
  "an export waits for users of a mount that 'umount -l' has hidden",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const args = ["-w", LONG, image, mountpoint];
    await using process = await ExportProcess.start(args);
    await using holder = await holdOpen(mountpoint);
    await must("umount", "-l", mountpoint);
    process.signal("SIGTERM");
    const users = await usersOf(process);
    assert(users.some((user) => "pid" in user && user.pid === holder.pid));
    await holder.leave();
    const { code, stderr } = await ended(process);
    assertEquals(code, 0, stderr);
  },
);

mountTest(
  "an export waits for users in another mount namespace",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const args = ["-w", LONG, image, mountpoint];
    await using process = await ExportProcess.start(args);
    const line = 'exec 3<>"$1"; echo open; read line';
    const own = ["-m", "sh", "-c", line, "sh", mountpoint];
    await using holder = await client("unshare", ...own);
    process.signal("SIGTERM");
    const users = await usersOf(process);
    assert(users.some((user) => "pid" in user && user.pid === holder.pid));
    await holder.leave();
    const { code, stderr } = await ended(process);
    assertEquals(code, 0, stderr);
  },
  ["unshare"],
);
