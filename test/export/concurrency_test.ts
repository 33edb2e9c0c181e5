import { assert, assertEquals } from "@std/assert";
import type { Backend } from "../../src/backends/backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import { type Random, randomly } from "../_random.ts";
import { AsyncBackend } from "./_backends.ts";
import type { Client } from "./_client.ts";
import { exported } from "./_fixtures.ts";

const START = 70_000;
const QUEUES = 5;

/** Fails if calls overlap that must not. */
class WatchedBackend extends AsyncBackend {
  #writes = 0;
  #resizes = 0;
  readonly #image: Backend;

  constructor(image: Backend, random: Random) {
    super(image, random);
    this.#image = image;
  }

  override async write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Promise<number> {
    assert(this.#resizes < 2, "two resizes overlap");
    this.#writes++;
    const end = position + length;
    assert(end <= (await this.#image.stat()).size, "a write beyond the end");
    const result = await super.write(position, buffer, start, length);
    assert(
      end <= (await this.#image.stat()).size,
      "the size changed during a write",
    );
    this.#writes--;
    return result;
  }

  override async truncate(size: number): Promise<number> {
    assertEquals(
      [this.#writes, this.#resizes],
      [0, 0],
      "truncate starts during another call",
    );
    this.#resizes++;
    const result = await super.truncate(size);
    assertEquals(
      [this.#writes, this.#resizes],
      [0, 1],
      "another call started during truncate",
    );
    this.#resizes--;
    return result;
  }
}

function open(random: Random, growable: boolean) {
  const disk = createMemoryDisk(START, { growable: true });
  const image = new MemoryBackend(disk);
  const backend = new WatchedBackend(image, random);
  const rules = growable ? { growable } : { truncate: "as-qemu" as const };
  const first = exported({ size: START, backend, ...rules });
  const clients = [first.client];
  while (clients.length < QUEUES) clients.push(first.another());
  return { ...first, image, clients };
}

/** Asserts that there is nothing beyond the end, where a write would show. */
async function assertNothingBeyond(client: Client): Promise<void> {
  const end = Number((await client.getattr()).size);
  assertEquals(await client.truncate(end + 300_000), 0);
  const all = await client.readAll();
  assertEquals(all.length, end + 300_000);
  assert(all.subarray(end).every((byte) => byte === 0));
}

Deno.test("appends from all queues at once lose nothing", () =>
  randomly(10, async (random) => {
    const { clients, state } = open(random, true);
    const LENGTH = 777;
    const COUNT = 100;
    const places = Array.from({ length: COUNT }, (_, i) => START + i * LENGTH);
    await Promise.all(clients.map(async (client, index) => {
      for (let i = index; i < COUNT; i += QUEUES) {
        const data = new Uint8Array(LENGTH).fill(i + 1);
        assertEquals(await client.write(places[i]!, data), LENGTH);
      }
    }));
    assertEquals(state.size, START + COUNT * LENGTH);
    const all = await clients[0]!.readAll();
    for (const [i, place] of places.entries()) {
      const part = all.subarray(place, place + LENGTH);
      assert(part.every((byte) => byte === i + 1), `append ${i}`);
    }
  }));

Deno.test("WRITE that waited to grow the image keeps the growth by another queue", async () => {
  const { client, state, backend } = exported({ size: 10, growable: true });
  assert(state.lock.tryShare());
  const waiting = client.write(10, Uint8Array.of(1, 2));
  // As from another Worker, between reading the size and taking the lock.
  assertEquals(await backend.truncate(100), 0);
  state.size = 100;
  assertEquals(await backend.write(99, Uint8Array.of(3), 0, 1), 1);
  state.lock.unshare();
  assertEquals(await waiting, 2);
  const all = await client.readAll();
  assertEquals([all.length, all[10], all[11], all[99]], [100, 1, 2, 3]);
});

async function disturb(client: Client, random: Random, grows: boolean) {
  const offset = random.below(2 * START);
  const length = 1 + random.below(20_000);
  switch (random.below(5)) {
    case 0: {
      assertEquals(await client.truncate(offset), 0);
      return;
    }
    case 1: {
      const errno = await client.fallocate(
        FALLOC_FL.ZERO_RANGE,
        offset,
        length,
      );
      assertEquals(errno, 0);
      return;
    }
    case 2: {
      const errno = await client.fallocate(0, offset, length);
      assertEquals(errno, 0);
      return;
    }
    default: {
      const put = await client.write(offset, random.bytes(length));
      const isPart = put === -ERRNO.ENOSPC || put > 0 && put <= length;
      assert(grows ? put === length : isPart, `${put}`);
    }
  }
}

for (const growable of [true, false]) {
  const kind = growable ? "a growable image" : "an image of fixed size";
  Deno.test(`no write lands beyond the end of ${kind} that is resized`, () =>
    randomly(10, async (random) => {
      const { clients, image, state } = open(random, growable);
      const forks = clients.map((client) => ({ client, own: random.fork() }));
      await Promise.all(forks.map(async ({ client, own }) => {
        for (let i = 0; i < 25; i++) await disturb(client, own, growable);
      }));
      assertEquals(state.size, image.stat().size);
      await assertNothingBeyond(clients[0]!);
    }));
}

Deno.test("the last one of several changes of size holds", () =>
  randomly(10, async (random) => {
    const { clients, image, state } = open(random, false);
    const sizes = clients.map(() => random.below(2 * START));
    await Promise.all(clients.map((client, i) => client.truncate(sizes[i]!)));
    assert(sizes.includes(state.size));
    assertEquals(image.stat().size, state.size);
  }));
