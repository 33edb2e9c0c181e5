import { assert, assertEquals } from "@std/assert";
import type { ImageStat } from "../../src/backends/backend.ts";
import { FileBackend } from "../../src/backends/protocols/file/file_backend.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { decodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FATTR, FUSE_WRITE } from "../../src/protocol/flags.ts";
import { O, S_IF } from "../../src/base/file_flags.ts";
import type { Decoded } from "../../src/protocol/types.ts";
import { FakeBlockFile } from "../backends/_fake_block_file.ts";
import { exported, SIZE, testExport } from "./_fixtures.ts";

/** The SETATTR that `touch` causes. */
const TOUCH = FATTR.ATIME | FATTR.MTIME | FATTR.ATIME_NOW | FATTR.MTIME_NOW;
const BOTH = FATTR.ATIME | FATTR.MTIME;

function mtimeOf({ mtime, mtimensec }: Decoded<"fuse_attr">): bigint {
  return mtime * 1_000_000_000n + BigInt(mtimensec);
}

testExport("GETATTR describes one plain file", async (make) => {
  const { client } = make();
  const { body } = await client.send("GETATTR");
  const { attr, attr_valid } = decodeStruct("fuse_attr_out", body!);
  assertEquals(attr_valid, 1n);
  assertEquals([attr.ino, attr.nlink], [1n, 1]);
  assertEquals(attr.mode, S_IF.REG | 0o600);
  assertEquals([attr.uid, attr.gid], [1, 2]);
  assertEquals([attr.size, attr.blocks], [BigInt(SIZE), 0n]);
  assertEquals([attr.blksize, attr.rdev, attr.flags], [4096, 0, 0]);
});

testExport("GETATTR returns the space that the image takes", async (make) => {
  class Space extends NullBackend {
    override stat(): ImageStat {
      return { ...super.stat(), allocated: this.name === "" ? null : 513 };
    }
  }
  const blocks = async (name: string) =>
    (await make({ backend: new Space(SIZE, name) }).client.getattr()).blocks;
  assertEquals(await blocks("tells"), 2n);
  assertEquals(await blocks(""), BigInt(Math.ceil(SIZE / 512)));
});

testExport("GETATTR returns sizes beyond 32 bits", async (make) => {
  const size = 2 ** 53 - 1;
  const { client } = make({ size, backend: new NullBackend(size) });
  assertEquals((await client.getattr()).size, BigInt(size));
});

testExport("mtime changes with writes, not with GETATTR", async (make) => {
  const { client } = make({ growable: true });
  const past = { atime: 5n, mtime: 7n, mtimensec: 8 };
  assertEquals(await client.setattr({ valid: BOTH, ...past }), 0);
  await client.read(0, 100);
  await client.on("FLUSH", await client.open());
  const looked = await client.getattr();
  assertEquals([looked.atime, mtimeOf(looked)], [5n, 7_000_000_008n]);
  const before = Date.now();
  for (const offset of [0, SIZE]) {
    await client.setattr({ valid: FATTR.MTIME, mtime: 7n });
    assertEquals(await client.write(offset, Uint8Array.of(1)), 1);
    const written = await client.getattr();
    assert(mtimeOf(written) >= BigInt(before) * 1_000_000n);
    assert(written.ctime >= written.mtime);
    assertEquals(written.atime, 5n);
  }
  await client.setattr({ valid: FATTR.MTIME, mtime: 7n });
  assertEquals(await client.truncate(5), 0);
  assert((await client.getattr()).mtime > 7n);
});

testExport("a WRITE that fails changes no time", async (make) => {
  const { client } = make();
  await client.setattr({ valid: FATTR.MTIME, mtime: 7n });
  assertEquals(await client.write(SIZE, Uint8Array.of(1)), -ERRNO.ENOSPC);
  assertEquals((await client.getattr()).mtime, 7n);
});

testExport("SETATTR of touch sets times to now", async (make) => {
  const { client } = make();
  await client.setattr({ valid: BOTH, atime: 1n, mtime: 1n });
  const before = BigInt(Math.floor(Date.now() / 1000));
  assertEquals(await client.setattr({ valid: TOUCH }), 0);
  const { atime, mtime, ctime } = await client.getattr();
  assert(atime >= before && mtime >= before && ctime >= before);
});

testExport(
  "SETATTR sets times before 1970 and to nanoseconds",
  async (make) => {
    const { client } = make();
    const fields = {
      valid: FATTR.MTIME,
      mtime: BigInt.asUintN(64, -2n),
      mtimensec: 999_999_999,
    };
    assertEquals(await client.setattr(fields), 0);
    const { mtime, mtimensec, ctime } = await client.getattr();
    assertEquals(BigInt.asIntN(64, mtime), -2n);
    assertEquals(mtimensec, 999_999_999);
    assert(ctime > 1_600_000_000n);
  },
);

Deno.test("times are those of an image that keeps times", async () => {
  const file = new FakeBlockFile(SIZE);
  const backend = new FileBackend(file, "disk.img", true);
  const { client } = exported({ backend });
  assertEquals((await client.getattr()).ctimensec, 3);
  assertEquals(mtimeOf(await client.getattr()), 2n);
  const valid = FATTR.MTIME;
  assertEquals(await client.setattr({ valid, mtime: 5n, mtimensec: 6 }), 0);
  assertEquals(file.mtime, 5_000_000_006n);
  assertEquals(file.atime, 1n);
  assertEquals(mtimeOf(await client.getattr()), 5_000_000_006n);
  assertEquals((await client.getattr()).ctimensec, 3);
  assertEquals(await client.setattr({ valid: FATTR.MODE, mode: 0o400 }), 0);
  assert((await client.getattr()).ctime > 1_600_000_000n);
});

Deno.test("an image that keeps times is touched by its own clock", async () => {
  const file = new FakeBlockFile(SIZE);
  const backend = new FileBackend(file, "disk.img", true);
  const { client } = exported({ backend });
  assertEquals(await client.setattr({ valid: TOUCH }), 0);
  assertEquals([file.atime, file.mtime], [
    FakeBlockFile.NOW,
    FakeBlockFile.NOW,
  ]);
  const valid = FATTR.ATIME | FATTR.MTIME | FATTR.MTIME_NOW;
  assertEquals(await client.setattr({ valid, atime: 5n }), 0);
  assertEquals([file.atime, file.mtime], [5_000_000_000n, FakeBlockFile.NOW]);
});

testExport(
  "SETATTR refuses times if the image cannot set them",
  async (make) => {
    class Dated extends NullBackend {
      override stat(): ImageStat {
        const times = { atime: 1n, mtime: 2n, ctime: 3n };
        return { ...super.stat(), times };
      }
    }
    const { client } = make({ backend: new Dated(SIZE) });
    assertEquals(await client.setattr({ valid: TOUCH }), ERRNO.EOPNOTSUPP);
  },
);

testExport("SETATTR ignores the type bits of a mode", async (make) => {
  const { client, state } = make();
  const mode = S_IF.DIR | 0o4500;
  assertEquals(await client.setattr({ valid: FATTR.MODE, mode }), 0);
  assertEquals((await client.getattr()).mode, S_IF.REG | 0o4500);
  assertEquals(state.mode, 0o4500);
});

testExport(
  "SETATTR refuses mode bits for others without allow_other",
  async (make) => {
    const valid = FATTR.MODE;
    for (const mode of [0o640, 0o604, 0o610]) {
      assertEquals(await make().client.setattr({ valid, mode }), ERRNO.EPERM);
      const { client } = make({ allowOther: true });
      assertEquals(await client.setattr({ valid, mode }), 0);
    }
  },
);

testExport(
  "SETATTR changes owners only with allow_other",
  async (make) => {
    const valid = FATTR.UID | FATTR.GID;
    const fields = { valid, uid: 2 ** 32 - 2, gid: 77 };
    const { client } = make();
    assertEquals(await client.setattr(fields), ERRNO.EOPNOTSUPP);
    assertEquals((await client.getattr()).uid, 1);
    const open = make({ allowOther: true }).client;
    assertEquals(await open.setattr(fields), 0);
    const { uid, gid } = await open.getattr();
    assertEquals([uid, gid], [2 ** 32 - 2, 77]);
  },
);

testExport(
  "SETATTR of a read-only image refuses each attribute with its own errno",
  async (make) => {
    const { client } = make({ writable: false });
    const valid = FATTR.MODE;
    assertEquals(await client.truncate(1), ERRNO.EACCES);
    assertEquals(await client.setattr({ valid, mode: 0o600 }), ERRNO.EROFS);
    assertEquals(await client.setattr({ valid, mode: 0o640 }), ERRNO.EPERM);
    assertEquals(await client.setattr({ valid: TOUCH }), ERRNO.EROFS);
    assertEquals(await client.setattr({ valid, mode: 0o400 }), 0);
  },
);

testExport("SETATTR changes all or nothing", async (make) => {
  const { client } = make({ writable: false });
  const before = await client.getattr();
  const valid = FATTR.MODE | FATTR.SIZE | BOTH;
  const fields = { valid, mode: 0o400, size: 5n, mtime: 1n };
  assertEquals(await client.setattr(fields), ERRNO.EACCES);
  assertEquals(
    await client.setattr({ valid: FATTR.MODE | 1 << 20, mode: 0o400 }),
    ERRNO.EOPNOTSUPP,
  );
  assertEquals(await client.getattr(), before);
  const rest = make({ size: SIZE }).client;
  assertEquals(
    await rest.setattr({ valid, mode: 0o604, size: 5n }),
    ERRNO.EPERM,
  );
  assertEquals((await rest.getattr()).size, BigInt(SIZE));
});

testExport(
  "SETATTR changes nothing if the size cannot be changed",
  async (make) => {
    class Stiff extends NullBackend {
      override truncate(): number {
        return -ERRNO.EIO;
      }
    }
    const backend = new Stiff(SIZE);
    const { client } = make({ backend, truncate: "as-qemu" });
    const valid = FATTR.MODE | FATTR.SIZE;
    assertEquals(
      await client.setattr({ valid, mode: 0o400, size: 5n }),
      ERRNO.EIO,
    );
    const { mode, size } = await client.getattr();
    assertEquals([mode, size], [S_IF.REG | 0o600, BigInt(SIZE)]);
  },
);

testExport(
  "SETATTR truncates a growable image, and any as QEMU does",
  async (make) => {
    for (const growable of [false, true]) {
      const { client } = make({ growable, truncate: "as-qemu" });
      await client.write(0, new Uint8Array(SIZE).fill(9));
      const valid = FATTR.SIZE | FATTR.FH | FATTR.LOCKOWNER;
      assertEquals(await client.setattr({ valid, size: 100n }), 0);
      assertEquals((await client.getattr()).size, 100n);
      assertEquals(await client.truncate(300), 0);
      const all = await client.readAll();
      assertEquals([all.length, all[99], all[100]], [300, 9, 0]);
    }
  },
);

testExport("SETATTR refuses sizes beyond 2^53 - 1", async (make) => {
  const { client } = make({ growable: true });
  for (const size of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    assertEquals(await client.truncate(size), ERRNO.EFBIG);
  }
  assertEquals((await client.getattr()).size, BigInt(SIZE));
});

testExport("WRITE clears set-id bits if the kernel says so", async (make) => {
  const { client, state } = make({ allowOther: true });
  const fh = await client.open();
  const kill = { fh, "write_flags": FUSE_WRITE.KILL_SUIDGID };
  // The client's group is 0.
  const cases = [
    [0o6777, 7, 0o777],
    [0o4600, 7, 0o600],
    [0o2767, 7, 0o767],
    [0o2767, 0, 0o2767],
    [0o6767, 0, 0o2767],
    [0o2777, 0, 0o777],
    [0o1777, 7, 0o1777],
  ] as const;
  assertEquals(state.changedAt, 0n);
  for (const [mode, gid, left] of cases) {
    state.gid = gid;
    for (const flags of [O.RDWR, O.RDWR | O.DSYNC]) {
      state.mode = mode;
      assertEquals(await client.write(0, Uint8Array.of(1), { fh, flags }), 1);
      assertEquals(await client.write(0, Uint8Array.of(), kill), 0);
      assertEquals(state.mode, mode);
      const written = client.write(0, Uint8Array.of(1), { ...kill, flags });
      assertEquals(await written, 1);
      assertEquals((await client.getattr()).mode, S_IF.REG | left);
    }
  }
  assert(state.changedAt > 0n);
});

testExport("a WRITE that is refused leaves set-id bits", async (make) => {
  const { client, state } = make({ writable: false });
  state.mode = 0o6555;
  const kill = { "write_flags": FUSE_WRITE.KILL_SUIDGID };
  const written = await client.write(0, Uint8Array.of(1), kill);
  assertEquals(written, -ERRNO.EACCES);
  assertEquals(state.mode, 0o6555);
});

testExport("SETATTR clears set-id bits if the kernel says so", async (make) => {
  const { client, state } = make({ allowOther: true, growable: true });
  const kill = FATTR.KILL_SUIDGID;
  state.mode = 0o6777;
  assertEquals(await client.setattr({ valid: TOUCH | kill }), 0);
  assertEquals(state.mode, 0o6777);
  for (const field of [FATTR.SIZE, FATTR.UID, FATTR.GID]) {
    state.mode = 0o6777;
    assertEquals(await client.setattr({ valid: field | kill, size: 5n }), 0);
    assertEquals(state.mode, 0o777);
  }
});
