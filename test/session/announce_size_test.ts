import { assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import {
  announceFirstSize,
  announceSize,
} from "../../src/session/announce_size.ts";

/** Notes what it would send. */
class FakeNotifier {
  readonly sent: string[] = [];

  /** Fails with an error, if one is given. */
  constructor(readonly failure: Error | null = null) {}

  store(nodeid: bigint, offset: number, data: Uint8Array): Promise<boolean> {
    return this.#send(`store ${nodeid} ${offset} ${data}`);
  }

  invalidateInode(
    nodeid: bigint,
    offset?: number,
    length?: number,
  ): Promise<boolean> {
    return this.#send(`invalidate ${nodeid} ${offset} ${length}`);
  }

  #send(text: string): Promise<boolean> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.sent.push(text);
    return Promise.resolve(true);
  }
}

async function sentFor(from: number, to: number): Promise<string[]> {
  const notifier = new FakeNotifier();
  await announceSize(notifier, from, to);
  return notifier.sent;
}

Deno.test("announceSize() stores the last byte of a larger file", async () => {
  assertEquals(await sentFor(0, 1), ["store 1 0 0", "invalidate 1 0 4096"]);
  assertEquals(await sentFor(100, 2 ** 40), [
    `store 1 ${2 ** 40 - 1} 0`,
    `invalidate 1 ${2 ** 40 - 4096} 4096`,
  ]);
  assertEquals(await sentFor(4096, 4097), [
    "store 1 4096 0",
    "invalidate 1 4096 4096",
  ]);
});

Deno.test("announceSize() drops the pages beyond a smaller end", async () => {
  assertEquals(await sentFor(5000, 4097), ["invalidate 1 4097 undefined"]);
  assertEquals(await sentFor(5000, 0), ["invalidate 1 0 undefined"]);
  assertEquals(await sentFor(5000, 5000), []);
});

Deno.test("announceSize() accepts that notifications are impossible", async () => {
  const impossible = new FakeNotifier(new UserError("Cannot send STORE"));
  await announceSize(impossible, 0, 10);
  await announceSize(impossible, 10, 0);
  const broken = new FakeNotifier(new TypeError("A defect"));
  await assertRejects(() => announceSize(broken, 0, 10), TypeError);
});

Deno.test("announceFirstSize() requires that the kernel knows the size", async () => {
  const notifier = new FakeNotifier();
  await announceFirstSize(notifier, 8192);
  assertEquals(notifier.sent, ["store 1 8191 0", "invalidate 1 4096 4096"]);
  const impossible = new FakeNotifier(new UserError("Cannot send STORE"));
  await assertRejects(
    () => announceFirstSize(impossible, 8192),
    UserError,
    "Cannot use a write-back cache: the kernel cannot be told the size of the file (Cannot send STORE); set cache to auto or none",
  );
});
