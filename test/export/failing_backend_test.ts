import { assertEquals, assertRejects } from "@std/assert";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { ERRNO, Errno } from "../../src/base/errno.ts";
import { FATTR } from "../../src/protocol/flags.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import { FailingBackend, type Failure } from "./_backends.ts";
import type { Client } from "./_client.ts";
import { type Exported, SIZE, testExport } from "./_fixtures.ts";

const BYTES = new Uint8Array(10);

/** Every request that calls the backend, by the member that it calls. */
const REQUESTS: Record<string, (client: Client) => Promise<number>> = {
  read: async (client) => (await client.read(0, 10)).errno,
  write: async (client) => -(await client.write(0, BYTES)),
  grow: async (client) => -(await client.write(SIZE, BYTES)),
  flush: async (client) => await client.on("FSYNC", await client.open()),
  truncate: (client) => client.truncate(5),
  reserve: (client) => client.fallocate(0, SIZE, 5),
  punch: (client) =>
    client.fallocate(FALLOC_FL.PUNCH_HOLE | FALLOC_FL.KEEP_SIZE, 0, 5),
  zero: (client) => client.fallocate(FALLOC_FL.ZERO_RANGE, 0, 5),
  zeroGrowing: (client) => client.fallocate(FALLOC_FL.ZERO_RANGE, 0, SIZE + 5),
  setTimes: (client) => client.setattr({ valid: FATTR.MTIME, mtime: 1n }),
};

/** Requests that call a member whose result is no number. */
const QUESTIONS: Record<string, (client: Client) => Promise<number>> = {
  getattr: async (client) => (await client.send("GETATTR")).errno,
  statfs: async (client) => (await client.send("STATFS")).errno,
  lseek: async (client) => -(await client.lseek(0, "DATA")),
};

/** Asserts that a request fails as it should, and that the lock is free. */
async function assertFails(
  { client, state }: Exported,
  name: string,
  errno: number,
): Promise<void> {
  const request = REQUESTS[name] ?? QUESTIONS[name];
  assertEquals(await request!(client), errno, name);
  assertEquals(state.size, SIZE, name);
  await state.lock.lock();
  state.lock.unlock();
}

function testFailure(
  name: string,
  failure: Failure,
  errno: number,
  requests: Record<string, unknown>,
): void {
  testExport(`a backend that ${name} fails each request`, async (make) => {
    for (const atOnce of [false, true]) {
      const backend = new FailingBackend({ ...failure, atOnce });
      const exported = make({ backend, growable: true });
      for (const request of Object.keys(requests)) {
        await assertFails(exported, request, errno);
      }
    }
  });
}

const ALL = { ...REQUESTS, ...QUESTIONS };
testFailure("answers -EIO", { result: -ERRNO.EIO }, ERRNO.EIO, REQUESTS);
testFailure("answers -EROFS", { result: -ERRNO.EROFS }, ERRNO.EROFS, REQUESTS);
testFailure(
  "throws an Errno",
  { error: new Errno("ENOSPC") },
  ERRNO.ENOSPC,
  ALL,
);
testFailure(
  "throws a TypeError",
  { error: new TypeError("x") },
  ERRNO.EIO,
  ALL,
);

// The kernel refuses other errors, and the client would wait forever.
testFailure("answers no error number", { result: -512 }, ERRNO.EIO, REQUESTS);
testFailure("answers NaN", { result: NaN }, ERRNO.EIO, REQUESTS);

testExport(
  "an error that a backend throws reaches the serve loop",
  async (make) => {
    const error = new TypeError("a defect");
    const { client } = make({ backend: new FailingBackend({ error }) });
    const { thrown, errno } = await client.read(0, 10);
    assertEquals(errno, ERRNO.EIO);
    await assertRejects(() => Promise.reject(thrown), TypeError, "a defect");
  },
);

testExport(
  "a backend that returns nothing fails each request",
  async (make) => {
    class Silent extends NullBackend {
      override read(): number {
        return undefined as unknown as number;
      }

      override write(): number {
        return undefined as unknown as number;
      }

      override truncate(): number {
        return undefined as unknown as number;
      }
    }
    const exported = make({ backend: new Silent(SIZE), growable: true });
    for (const request of ["read", "write", "grow", "truncate", "reserve"]) {
      await assertFails(exported, request, ERRNO.EIO);
    }
  },
);
