import { ERRNO } from "../../src/base/errno.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type {
  BlockFile,
  BlockFileStat,
} from "../../src/backends/block_file.ts";
import { openBlockFile } from "../../src/linux/io/open_block_file.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import {
  missingPermission,
  missingProgram,
  missingRoot,
  testIf,
} from "../requirements.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const missing = missingPermission("ffi", "read", "write", "run");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();
const missingLoop = missing || missingPermission("env") || missingRoot() ||
  missingProgram("losetup");
const ENXIO = -ERRNO.ENXIO;
const EBADF = -ERRNO.EBADF;
const EINVAL = -ERRNO.EINVAL;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const PUNCH_HOLE_KEEP_SIZE = 3;

async function withImage(
  bytes: Uint8Array,
  body: (file: BlockFile, path: string) => void | Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/disk.img`;
    await Deno.writeFile(path, bytes);
    const file = openBlockFile(path, { writable: true });
    try {
      await body(file, path);
    } finally {
      file.close();
      file.close();
    }
  });
}

function statOf(file: BlockFile): BlockFileStat {
  const stat = file.fstat();
  assert(typeof stat !== "number", `fstat gave ${stat}`);
  return stat;
}

const TEN = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);

testIf(
  missing,
  "pread fills a part of a buffer, and stops at the end",
  async () => {
    await withImage(TEN, (file) => {
      const buffer = new Uint8Array(8).fill(255);
      assertEquals(file.pread(buffer, 2, 3, 4), 3);
      assertEquals([...buffer], [255, 255, 4, 5, 6, 255, 255, 255]);
      assertEquals(file.pread(buffer, 0, 8, 7), 3);
      assertEquals([...buffer], [7, 8, 9, 5, 6, 255, 255, 255]);
      assertEquals(file.pread(buffer, 0, 8, 10), 0);
      assertEquals(file.pread(buffer, 8, 0, 0), 0);
    });
  },
);

testIf(
  missing,
  "pwrite takes a part of a buffer, also past the end",
  async () => {
    await withImage(TEN, async (file, path) => {
      const buffer = Uint8Array.of(10, 11, 12, 13);
      assertEquals(file.pwrite(buffer, 1, 2, 0), 2);
      assertEquals(file.pwrite(buffer, 0, 4, 8), 4);
      assertEquals(file.fdatasync(), 0);
      assertEquals(
        [...await Deno.readFile(path)],
        [11, 12, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13],
      );
    });
  },
);

testIf(missing, "buffers may be shared, subarrays, and many", async () => {
  await withImage(TEN, (file) => {
    const shared = new Uint8Array(new SharedArrayBuffer(16), 4, 8);
    assertEquals(file.pread(shared, 1, 4, 2), 4);
    assertEquals([...shared], [0, 2, 3, 4, 5, 0, 0, 0]);
    assertEquals(file.pwrite(shared, 1, 4, 0), 4);
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 4; at++) {
        const part = new Uint8Array(new ArrayBuffer(64), at, 4);
        assertEquals(file.pread(part, 0, 4, 0), 4);
        assertEquals([...part], [2, 3, 4, 5]);
      }
    }
  });
});

testIf(missing, "a transfer outside the buffer is not made", async () => {
  await withImage(TEN, (file) => {
    const buffer = new Uint8Array(4);
    for (
      const [start, length] of [[0, 5], [4, 1], [-1, 2], [2, -1]] as const
    ) {
      assertThrows(() => file.pread(buffer, start, length, 0), RangeError);
      assertThrows(() => file.pwrite(buffer, start, length, 0), RangeError);
    }
  });
});

testIf(missing, "positions beyond 32 bits arrive whole", async () => {
  await withImage(TEN, (file) => {
    const far = 5 * 2 ** 32 + 3;
    assertEquals(file.pwrite(TEN, 0, 10, far), 10);
    assertEquals(statOf(file).size, far + 10);
    const buffer = new Uint8Array(10);
    assertEquals(file.pread(buffer, 0, 10, far), 10);
    assertEquals([...buffer], [...TEN]);
    assertEquals(file.lseek(65536, SEEK_DATA) <= far, true);
    assertEquals(file.ftruncate(0), 0);
    assertEquals(statOf(file).size, 0);
  });
});

testIf(missing, "holes are made, found and counted", async () => {
  await withImage(new Uint8Array(1 << 20).fill(1), (file) => {
    const full = statOf(file).allocated;
    assertEquals(file.fallocate(PUNCH_HOLE_KEEP_SIZE, 65536, 131072), 0);
    assertEquals(statOf(file).allocated, full - 131072);
    assertEquals(file.lseek(0, SEEK_HOLE), 65536);
    assertEquals(file.lseek(65536, SEEK_DATA), 196608);
    assertEquals(file.lseek(1 << 20, SEEK_DATA), ENXIO);
    assertEquals(file.fallocate(0, 0, 0), EINVAL);
    assertEquals(file.fallocate(0, 1 << 20, 4096), 0);
    assertEquals(statOf(file).size, (1 << 20) + 4096);
  });
});

testIf(
  missing,
  "times are set to the nanosecond, or left unchanged",
  async () => {
    await withImage(TEN, (file) => {
      assertEquals(file.futimens(1_000_000_001n, 2_000_000_002n), 0);
      assertEquals(statOf(file).atime, 1_000_000_001n);
      assertEquals(statOf(file).mtime, 2_000_000_002n);
      assertEquals(file.futimens(null, -1n), 0);
      assertEquals(statOf(file).atime, 1_000_000_001n);
      assertEquals(statOf(file).mtime, -1n);
      assertEquals(file.futimens(null, null), 0);
      assertEquals(statOf(file).mtime, -1n);
    });
  },
);

testIf(missing, "fstat returns a file's size and kind", async () => {
  await withImage(new Uint8Array(5000), (file) => {
    const stat = statOf(file);
    assertEquals(stat.kind, "file");
    assertEquals(stat.size, 5000);
    assertEquals(stat.allocated % 512, 0);
    assert(stat.blockSize >= 512);
    assert(stat.ctime > 1_600_000_000_000_000_000n);
  });
});

testIf(missingLoop, "fstat returns a block device's size", async () => {
  await inTemporaryDirectory(async (directory) => {
    const size = 3 * 512 * 1001;
    await Deno.writeFile(`${directory}/image`, new Uint8Array(size));
    const loop = await run("losetup", "-f", "--show", `${directory}/image`);
    assertEquals(loop.code, 0, loop.text);
    const device = loop.text.trim();
    const file = openBlockFile(device, { writable: true });
    try {
      const stat = statOf(file);
      assertEquals(stat.kind, "block");
      assertEquals(stat.size, size);
      assertEquals(stat.allocated, size);
      assertEquals(file.pwrite(TEN, 0, 10, size - 10), 10);
      assertEquals(file.pread(new Uint8Array(20), 0, 20, size - 10), 10);
    } finally {
      file.close();
      await run("losetup", "-d", device);
    }
  });
});

testIf(missing, "a read-only image refuses writes", async () => {
  await withImage(TEN, (_, path) => {
    const file = openBlockFile(path, { writable: false });
    try {
      assertEquals(file.pwrite(TEN, 0, 1, 0), EBADF);
      assertEquals(file.ftruncate(0), EINVAL);
      assertEquals(file.pread(new Uint8Array(1), 0, 1, 0), 1);
    } finally {
      file.close();
    }
  });
});

testIf(missing, "a closed image gives EBADF", async () => {
  await withImage(TEN, (file) => {
    file.close();
    assertEquals(file.pread(new Uint8Array(1), 0, 1, 0), EBADF);
    assertEquals(file.fdatasync(), EBADF);
    assertEquals(file.lseek(0, SEEK_DATA), EBADF);
    assertEquals(file.fstat(), EBADF);
  });
});

testIf(
  missing,
  "an unsuitable file is refused with a reason",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const refusal = (path: string) =>
        assertThrows(
          () => openBlockFile(path, { writable: true }),
          SystemError,
        );
      const missing = refusal(`${directory}/none`);
      assertEquals(missing.errno, 2);
      assertEquals(missing.code, "ENOENT");
      assertEquals(
        missing.message,
        `Cannot open ${directory}/none: No such file or directory (check the path, or create an image with 'truncate -s 1G FILE')`,
      );
      assertEquals(
        refusal(directory).message,
        `Cannot open ${directory}: Is a directory (give a regular file or a block device)`,
      );
      // Opening a pipe without O_PATH would wait for its other end.
      await run("mkfifo", `${directory}/pipe`);
      assertEquals(refusal(`${directory}/pipe`).code, "ENOTBLK");
      assertEquals(refusal("/dev/null").code, "ENOTBLK");
    });
  },
);

testIf(missing, "a symbolic link to an image is followed", async () => {
  await withImage(TEN, async (_, path) => {
    await Deno.symlink(path, `${path}.link`);
    const file = openBlockFile(`${path}.link`, { writable: true });
    assertEquals(statOf(file).size, 10);
    file.close();
  });
});
