import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { writeInThread } from "../../src/linux/io/thread_write.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { socketPair } from "../../src/linux/socket/socket.ts";
import { must } from "../mount/_clients.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

/** More than a pipe holds. */
const MUCH = 200_000;

/** Runs a test with a pipe that nothing reads, open in this process. */
async function withPipe(
  flags: number,
  body: (fd: number, path: string) => Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/pipe`;
    await must("mkfifo", path);
    const fd = openDescriptor(path, OPEN.RDWR | flags);
    try {
      await body(fd, path);
    } finally {
      closeDescriptor(fd);
    }
  });
}

/** Reads some bytes of a pipe; returns how many came. */
async function drain(path: string, count: number): Promise<number> {
  return (await must("head", "-c", String(count), path)).length;
}

kernelTest(
  "writeInThread() waits for a full pipe, but not this thread",
  async () => {
    await withPipe(0, async (fd, path) => {
      const bytes = new Uint8Array(MUCH).fill(97);
      let isDone = false;
      const writing = writeInThread(fd, bytes).finally(() => isDone = true);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assertEquals(isDone, false);
      assertEquals(await drain(path, MUCH), MUCH);
      assertEquals(await writing, MUCH);
    });
  },
);

kernelTest(
  "writeInThread() writes to a pipe that another program made nonblocking",
  async () => {
    await withPipe(OPEN.NONBLOCK, async (fd, path) => {
      const bytes = new Uint8Array(MUCH).fill(97);
      let written = await writeInThread(fd, bytes);
      assert(written > 0 && written < MUCH);
      // Full: it waits for room, and then has written nothing.
      assertEquals(await writeInThread(fd, bytes), 0);
      const reading = drain(path, MUCH);
      while (written < MUCH) {
        const count = await writeInThread(fd, bytes.subarray(written));
        assert(count >= 0);
        written += count;
      }
      assertEquals(await reading, MUCH);
    });
  },
);

kernelTest("writeInThread() tells why it cannot write", async () => {
  const full = openDescriptor("/dev/full", OPEN.WRONLY);
  const bytes = new Uint8Array(10);
  assertEquals(await writeInThread(full, bytes), -ERRNO.ENOSPC);
  closeDescriptor(full);
  const gone = writerWithoutReader();
  assertEquals(await writeInThread(gone, bytes), -ERRNO.EPIPE);
  closeDescriptor(gone);
});

/** The end of a connection whose other end is closed. */
function writerWithoutReader(): number {
  const [one, other] = socketPair();
  closeDescriptor(other);
  return one;
}
