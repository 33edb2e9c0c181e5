import { assertEquals, assertRejects } from "@std/assert";
import { PoolFile } from "../../src/linux/io/pool_file.ts";
import { ERRNO } from "../../src/base/errno.ts";
import {
  readInPool,
  syncInPool,
  writeAllInPool,
  writeInPool,
} from "../../src/linux/io/pool_calls.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

kernelTest("PoolFile writes and reads whole buffers", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/file`;
    await Deno.writeTextFile(path, "0123456789");
    const file = await PoolFile.open(path);
    await file.write(new TextEncoder().encode("abc"), 3);
    const read = new Uint8Array(5);
    await file.read(read, 2);
    assertEquals(new TextDecoder().decode(read), "2abc6");
    await assertRejects(
      () => file.read(read, 8),
      Error,
      `Cannot read 5 bytes at 8 of ${path}: only 2 were transferred`,
    );
    await file.close();
    await assertRejects(() => file.read(read, 0), Error, "Bad file descriptor");
    assertEquals(await Deno.readTextFile(path), "012abc6789");
  });
});

kernelTest("PoolFile does not create a file", async () => {
  await inTemporaryDirectory(async (directory) => {
    await assertRejects(
      () => PoolFile.open(`${directory}/none`),
      Error,
      `Cannot open ${directory}/none`,
    );
  });
});

kernelTest("calls in the pool tell the errno of another thread", async () => {
  const { EBADF, EINVAL, EISDIR } = ERRNO;
  await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "0123");
    const buffer = new Uint8Array(8);
    const file = openDescriptor(`${directory}/file`, OPEN.RDONLY);
    const folder = openDescriptor(directory, OPEN.RDONLY);
    const zero = openDescriptor("/dev/zero", OPEN.RDONLY);
    try {
      assertEquals(await readInPool(file, buffer, 1), 3);
      assertEquals(await readInPool(file, buffer, 4), 0);
      assertEquals(await readInPool(file, buffer, -1), -EINVAL);
      assertEquals(await readInPool(folder, buffer, 0), -EISDIR);
      assertEquals(await writeInPool(file, buffer, 0), -EBADF);
      assertEquals(await syncInPool(file), 0);
      assertEquals(await syncInPool(zero), -EINVAL);
      assertEquals(await syncInPool(-1), -EBADF);
    } finally {
      for (const fd of [file, folder, zero]) closeDescriptor(fd);
    }
  });
});

kernelTest("many calls in the pool at once each get their result", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/file`;
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    await Deno.writeFile(path, bytes);
    const fd = openDescriptor(path, OPEN.RDWR);
    const reads = Array.from({ length: 200 }, async (_, at) => {
      const buffer = new Uint8Array(2);
      return [await readInPool(fd, buffer, at), ...buffer];
    });
    (await Promise.all(reads)).forEach((read, at) =>
      assertEquals(read, [2, at, at + 1])
    );
    closeDescriptor(fd);
  });
});

kernelTest("writeAllInPool() tells the result of each write", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/file`;
    await Deno.writeTextFile(path, "");
    const fd = openDescriptor(path, OPEN.RDWR);
    const texts = ["abc", "de", "fghi", "XY"];
    const positions = [0, 3, 8, 1];
    const writes = texts.map((text, i) => ({
      position: positions[i]!,
      bytes: new TextEncoder().encode(text),
    }));
    assertEquals(await writeAllInPool(fd, writes), [3, 2, 4, 2]);
    closeDescriptor(fd);
    // Of the same range, the last one counts: they are made in order.
    assertEquals(await Deno.readTextFile(path), "aXYde\0\0\0fghi");
    const last = { position: 2 ** 63 - 2, bytes: new Uint8Array(4) };
    const reading = openDescriptor(path, OPEN.RDONLY);
    const { EBADF, EINVAL } = ERRNO;
    assertEquals(await writeAllInPool(reading, [writes[0]!, last]), [
      -EBADF,
      -EINVAL,
    ]);
    closeDescriptor(reading);
  });
});

kernelTest(
  "writeAllInPool() writes where the C library can start no thread",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/file`;
      await Deno.writeTextFile(path, "");
      const program = new URL("_without_threads.ts", import.meta.url).pathname;
      const { stdout, stderr } = await new Deno.Command("timeout", {
        args: ["20", Deno.execPath(), "run", "-A", program, path],
      }).output();
      const texts = [stdout, stderr].map((part) =>
        new TextDecoder().decode(part)
      );
      assertEquals(texts, ["[3,2]\n", ""]);
      assertEquals(await Deno.readTextFile(path), "abcde");
    });
  },
);
