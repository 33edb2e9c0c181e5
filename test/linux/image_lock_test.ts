import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { lockImage, lockImageReadOnly } from "../../src/linux/io/image_lock.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const QEMU = ["qemu-io", "qemu-storage-daemon"];
const ADVICE = "(stop it, or use --no-lock if sharing the image is safe)";

/** Runs a test with an image, and a function that opens it until the end. */
async function withImage(
  body: (path: string, open: () => number) => void | Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/disk.img`;
    await Deno.writeFile(path, new Uint8Array(1 << 20));
    const opened: number[] = [];
    const open = () => {
      const fd = openDescriptor(path, OPEN.RDWR);
      opened.push(fd);
      return fd;
    };
    try {
      await body(path, open);
    } finally {
      for (const fd of opened) closeDescriptor(fd);
    }
  });
}

function use(writable: boolean) {
  return { name: "disk.img", writable };
}

function refusal(fd: number, writable: boolean): string {
  const error = assertThrows(() => lockImage(fd, use(writable)), SystemError);
  assertEquals(error.code, "EAGAIN");
  return error.message;
}

/** The locked bytes of a descriptor, as the kernel lists them. */
function locked(fd: number): string[] {
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
  return [...info.matchAll(/^lock:.*OFDLCK +ADVISORY +READ .* (\d+ \d+)$/gm)]
    .map((match) => match[1]!).sort();
}

kernelTest("a writable export's locks are on QEMU's bytes", async () => {
  await withImage((_path, open) => {
    const fd = open();
    assertEquals(lockImage(fd, use(true)), true);
    assertEquals(locked(fd), ["100 101", "103 103", "201 201", "203 203"]);
    lockImageReadOnly(fd, "disk.img");
    assertEquals(locked(fd), ["100 100", "201 201", "203 203"]);
  });
});

kernelTest("a read-only export's locks keep writers out", async () => {
  await withImage((_path, open) => {
    const [first, second] = [open(), open()];
    assertEquals(lockImage(first, use(false)), true);
    assertEquals(locked(first), ["100 100", "201 201", "203 203"]);
    assertEquals(lockImage(second, use(false)), true);
    const third = open();
    assertEquals(
      refusal(third, true),
      `Cannot lock disk.img for writing: another program, such as QEMU or another export, has it open and does not allow it to be written to ${ADVICE}`,
    );
    assertEquals(locked(third), []);
    assertEquals(locked(first), ["100 100", "201 201", "203 203"]);
  });
});

kernelTest("two writable exports refuse each other", async () => {
  await withImage((_path, open) => {
    const [first, second] = [open(), open()];
    assertEquals(lockImage(first, use(true)), true);
    assertMatch(refusal(second, true), /does not allow it to be written to/);
    assertEquals(
      refusal(second, false),
      `Cannot lock disk.img for reading: another program, such as QEMU or another export, has it open for writing ${ADVICE}`,
    );
    assertEquals(locked(second), []);
    lockImageReadOnly(first, "disk.img");
    assertEquals(lockImage(second, use(false)), true);
  });
});

kernelTest("a lock ends when its image is closed", async () => {
  await withImage((path, open) => {
    const second = open();
    const first = openDescriptor(path, OPEN.RDWR);
    lockImage(first, use(true));
    // Locks that are not OFD locks would be released with any descriptor.
    closeDescriptor(openDescriptor(path, OPEN.RDONLY));
    assertMatch(refusal(second, true), /written to/);
    closeDescriptor(first);
    assertEquals(lockImage(second, use(true)), true);
  });
});

kernelTest("a file without locks is not locked", () => {
  // fcntl(2) of an O_PATH descriptor fails with EBADF.
  const fd = openDescriptor("/proc/self/fd", OPEN.PATH);
  try {
    assertEquals(lockImage(fd, use(false)), false);
  } finally {
    closeDescriptor(fd);
  }
});

kernelTest("qemu-io does not write to an exported image", async () => {
  await withImage(async (path, open) => {
    const fd = open();
    lockImage(fd, use(true));
    const write = await run("qemu-io", "-f", "raw", "-c", "write 0 4k", path);
    assertEquals(write.code, 1);
    assertMatch(write.text, /Failed to get "write" lock/);
    const read = await run(
      "qemu-io",
      "-r",
      "-f",
      "raw",
      "-c",
      "read 0 4k",
      path,
    );
    assertEquals(read.code, 0, read.text);
    // Writing to the image of a read-only export is refused too.
    lockImageReadOnly(fd, "disk.img");
    const again = await run("qemu-io", "-f", "raw", "-c", "write 0 4k", path);
    assertMatch(again.text, /Failed to get "write" lock/);
  });
}, QEMU);

kernelTest("an image that qemu-io writes to is not exported", async () => {
  await withImage(async (path, open) => {
    const child = new Deno.Command("timeout", {
      args: ["20", "qemu-io", "-f", "raw", path],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    try {
      // It prints its prompt when the image is open.
      const reader = child.stdout.getReader();
      await reader.read();
      assertMatch(refusal(open(), true), /has it open for writing/);
      assertMatch(refusal(open(), false), /has it open for writing/);
      reader.releaseLock();
    } finally {
      await child.stdin.close();
      await child.stdout.cancel();
      await child.status;
    }
    assertEquals(lockImage(open(), use(true)), true);
  });
}, QEMU);

kernelTest(
  "QEMU's storage daemon and an export exclude each other",
  async () => {
    await withImage(async (path, open) => {
      const socket = `${path}.sock`;
      const args = [
        "20",
        "qemu-storage-daemon",
        "--blockdev",
        `file,node-name=f,filename=${path}`,
        "--nbd-server",
        `addr.type=unix,addr.path=${socket}`,
        "--export",
        "nbd,id=e,node-name=f,writable=on",
      ];
      const daemon = new Deno.Command("timeout", {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const told = new Response(daemon.stderr).text();
      try {
        await until(() => isThere(socket));
        await until(() => isLocked(path));
        assertMatch(refusal(open(), true), /another program/);
      } finally {
        daemon.kill("SIGTERM");
        await daemon.status;
        await told;
      }
      lockImage(open(), use(true));
      const { code, text } = await run("timeout", ...args);
      assert(code !== 0);
      assertMatch(text, /Failed to get "write" lock/);
    });
  },
  QEMU,
);

/** Whether a process has locked it. Trying to lock it would disturb others. */
async function isLocked(path: string): Promise<boolean> {
  const { ino } = await Deno.stat(path);
  return (await Deno.readTextFile("/proc/locks")).includes(`:${ino} `);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}

async function until(
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!await condition()) {
    if (Date.now() > deadline) {
      throw new Error("The condition was not met in time");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
