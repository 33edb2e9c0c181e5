/** A served queue with many requests outstanding, over a device in memory. */
import { assert, assertEquals } from "@std/assert";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import { serve } from "../../src/queue/serve.ts";
import { queueMemoryMin } from "../../src/queue/slot_pool.ts";
import makeHandler from "./_gated_handler.ts";
import { FakeDevice } from "./fake_device.ts";
import { message, parseReply, readMessage, writeMessage } from "./messages.ts";

const MIB = 1 << 20;
const LIMIT_MS = 10_000;
const F_WRLCK = 1;
const F_UNLCK = 2;
/** The first owner of the lock. */
const HOLDER = 1n;

/** A gated file behind a queue, and what a kernel does with it. */
class Served implements AsyncDisposable {
  readonly device = new FakeDevice();
  readonly #queue: DeviceQueue;
  readonly #ended: Promise<unknown>;
  readonly #errors = new Map<bigint, number>();

  constructor(memoryMax: number) {
    this.#queue = new DeviceQueue(this.device, {
      maxPayload: MIB,
      memoryMax,
      protocolVersion: ProtocolVersion.NEWEST,
    });
    this.#ended = serve(this.#queue, makeHandler());
  }

  lock(
    unique: bigint,
    owner: bigint,
    opcode: "SETLK" | "SETLKW",
    type = F_WRLCK,
  ) {
    const body = encodeStruct("fuse_lk_in", { owner, lk: { type } });
    this.device.push(message(opcode, { unique, body }));
  }

  /** Waits for replies; returns their errnos. */
  async replies(...uniques: bigint[]): Promise<number[]> {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      for (const bytes of this.device.written.splice(0)) {
        const { unique, error } = parseReply(bytes);
        this.#errors.set(unique, -error);
      }
      if (uniques.every((unique) => this.#errors.has(unique))) {
        return uniques.map((unique) => this.#errors.get(unique)!);
      }
      assert(Date.now() < deadline, `no reply to one of ${uniques.join()}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async stat(unique: bigint): Promise<void> {
    const body = encodeStruct("fuse_getattr_in", {});
    this.device.push(message("GETATTR", { unique, body }));
    assertEquals(await this.replies(unique), [0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue.close();
    this.device.wake();
    await this.#ended;
  }
}

/** Even ids from 2 on. */
function ids(count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => BigInt(2 * i + 2));
}

Deno.test("a served queue answers beside 60 blocked SETLKW", async () => {
  await using served = new Served(64 * MIB);
  served.lock(1000n, HOLDER, "SETLK");
  for (const unique of ids(60)) served.lock(unique, unique, "SETLKW");
  await served.stat(1002n);
  // Each owner unlocks when its SETLKW has succeeded.
  served.lock(1004n, HOLDER, "SETLK", F_UNLCK);
  for (const unique of ids(60)) {
    assertEquals(await served.replies(unique), [0]);
    served.lock(2000n + unique, unique, "SETLK", F_UNLCK);
  }
  await served.replies(1004n, ...ids(60).map((unique) => 2000n + unique));
});

Deno.test("a served queue answers beside 300 READs that wait", async () => {
  await using served = new Served(64 * MIB);
  for (const unique of ids(300)) {
    served.device.push(readMessage(unique, 0, 4096));
  }
  await served.stat(1000n);
  served.device.push(writeMessage(1002n, new Uint8Array(1)));
  const errors = await served.replies(...ids(300));
  assertEquals(new Set(errors), new Set([0]));
});

Deno.test("an INTERRUPT ends a SETLKW although the room is used up", async () => {
  await using served = new Served(queueMemoryMin(MIB));
  served.lock(1000n, HOLDER, "SETLK");
  served.lock(1002n, 5n, "SETLKW");
  for (const unique of ids(40)) {
    served.device.push(readMessage(unique, 0, MIB));
  }
  await served.stat(1004n);
  const body = encodeStruct("fuse_interrupt_in", { unique: 1002n });
  served.device.push(message("INTERRUPT", { unique: 1003n, body }));
  const EINTR = 4;
  assertEquals(await served.replies(1002n), [EINTR]);
  served.device.push(writeMessage(1006n, new Uint8Array(1)));
  const errors = await served.replies(...ids(40));
  assertEquals(new Set(errors), new Set([0]));
});
