import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { FATTR } from "../../src/protocol/flags.ts";
import { SIZE, testExport } from "./_fixtures.ts";

const BYTES = new Uint8Array(100).fill(7);

testExport(
  "an export that was made read-only refuses changes",
  async (make) => {
    const { client, state, another } = make({ growable: true });
    const other = another();
    assertEquals(await client.write(0, BYTES), 100);
    await state.lock.lock();
    // They wait for the lock, so they have to see that it is read-only.
    const pending = [client.write(0, BYTES), other.write(SIZE, BYTES)];
    state.makeReadOnly();
    state.lock.unlock();
    assertEquals(await Promise.all(pending), [-ERRNO.EACCES, -ERRNO.EACCES]);
    assertEquals(await other.write(0, BYTES), -ERRNO.EACCES);
    const { SIZE: size, MODE: mode } = FATTR;
    assertEquals(await client.setattr({ valid: size, size: 1n }), ERRNO.EACCES);
    assertEquals(
      await client.setattr({ valid: mode, mode: 0o600 }),
      ERRNO.EROFS,
    );
    assertEquals(state.size, SIZE);
    assertEquals(state.mode, 0o400);
    assertEquals((await client.read(0, 100)).body?.[0], 7);
  },
);
