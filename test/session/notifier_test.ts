import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  mountExport,
  mountHandler,
  type Reply,
  type Request,
  type RequestHandler,
  SessionNotifier,
  UserError,
} from "../../mod.ts";
import { OPCODES } from "../../src/protocol/mod.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import { decodeNotification } from "../../src/protocol/notifications.ts";
import { kernelTest } from "../requirements.ts";
import { client, shell, TemporaryMountpoint } from "./_client.ts";
import { AWAITING } from "./awaiting_module.ts";

const ROOT = 1n;
const FILE = 2n;
/** Long enough that nothing expires during a test. */
const VALID_S = 3600n;
const ENCODER = new TextEncoder();

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

function recording(minor: number) {
  const sent: ReturnType<typeof decodeNotification>[] = [];
  const state = { result: 0 };
  const notifier = new SessionNotifier({
    notify(message) {
      sent.push(decodeNotification(message));
      return Promise.resolve(state.result);
    },
  }, { minor });
  return { sent, notifier, state };
}

Deno.test("SessionNotifier encodes each notification", async () => {
  const { sent, notifier } = recording(45);
  assert(await notifier.invalidateInode(7n, 4096, 512));
  assert(await notifier.invalidateAttributes(7n));
  assert(await notifier.invalidateEntry(ROOT, "name", { expireOnly: true }));
  assert(await notifier.deleteEntry(ROOT, 7n, "name"));
  assert(await notifier.store(7n, 10, new Uint8Array([1, 2, 3])));
  assert(await notifier.prune([7n, 8n]));
  assert(await notifier.wakePoll(99n));
  assert(await notifier.retrieve(7n, 4096, 512, 5n));
  assert(await notifier.incrementEpoch());
  assert(await notifier.resend());
  const seen = sent.map(({ notification, body, name, data, nodeids }) => ({
    notification,
    ...body,
    ...name === "" ? {} : { name },
    ...data.length === 0 ? {} : { data: [...data] },
    ...nodeids.length === 0 ? {} : { nodeids: [...nodeids] },
  }));
  assertEquals(seen, [
    { notification: "INVAL_INODE", ino: 7n, off: 4096n, len: 512n },
    { notification: "INVAL_INODE", ino: 7n, off: -1n, len: 0n },
    {
      notification: "INVAL_ENTRY",
      parent: ROOT,
      namelen: 4,
      flags: 1,
      name: "name",
    },
    {
      notification: "DELETE",
      parent: ROOT,
      child: 7n,
      namelen: 4,
      padding: 0,
      name: "name",
    },
    {
      notification: "STORE",
      nodeid: 7n,
      offset: 10n,
      size: 3,
      padding: 0,
      data: [1, 2, 3],
    },
    {
      notification: "PRUNE",
      count: 2,
      padding: 0,
      spare: 0n,
      nodeids: [7n, 8n],
    },
    { notification: "POLL", kh: 99n },
    {
      notification: "RETRIEVE",
      notify_unique: 5n,
      nodeid: 7n,
      offset: 4096n,
      size: 512,
      padding: 0,
    },
    { notification: "INC_EPOCH" },
    { notification: "RESEND" },
  ]);
});

Deno.test("SessionNotifier refuses notifications that the kernel does not support or cannot receive", async () => {
  const { sent, notifier } = recording(31);
  await assertRejects(
    () => notifier.prune([7n]),
    UserError,
    "Cannot send PRUNE to the kernel: it needs FUSE 7.45, and this kernel speaks 7.31; use a newer kernel",
  );
  assertEquals(sent, []);
  const without = new SessionNotifier("no descriptor", { minor: 45 });
  await assertRejects(
    () => without.invalidateInode(7n),
    UserError,
    "Cannot send INVAL_INODE to the kernel: no descriptor",
  );
});

Deno.test("SessionNotifier tells what is not cached from what the kernel refuses", async () => {
  const { notifier, state } = recording(45);
  state.result = -ERRNO.ENOENT;
  assertEquals(await notifier.invalidateInode(7n), false);
  for (
    const [name, sentence] of [
      ["ENOTEMPTY", "the kernel refused (ENOTEMPTY)"],
      ["ENODEV", "the session has ended"],
      ["ENOBUFS", "too many wait already; await some of them first"],
    ] as const
  ) {
    state.result = -ERRNO[name];
    const error = await assertRejects(
      () => notifier.deleteEntry(ROOT, 7n, "name"),
      UserError,
      `Cannot send DELETE to the kernel: ${sentence}`,
    );
    assertEquals((error as UserError & { errno: number }).errno, ERRNO[name]);
    // Not an unhandled rejection, which would end this test.
    void notifier.deleteEntry(ROOT, 7n, "name");
    await new Promise((resolve) => setTimeout(resolve));
  }
});

Deno.test("SessionNotifier rejects values that cannot be encoded, and sends nothing", async () => {
  const { sent, notifier } = recording(45);
  await assertRejects(() => notifier.invalidateInode(7 as unknown as bigint));
  await assertRejects(() => notifier.invalidateInode(7n, 0.5));
  assertEquals(sent, []);
});

/** A directory with one file, whose contents and name the test changes. */
class OneFile implements RequestHandler {
  name = "file";
  text = "first\n";
  /** Called in a LOOKUP before it is answered. */
  onLookup: () => Promise<unknown> | void = () => {};

  async handle(request: Request, reply: Reply): Promise<void> {
    switch (request.opcode) {
      case OPCODES.LOOKUP.opcode: {
        const found = request.name() === this.name;
        await this.onLookup();
        if (!found) return reply.error(ERRNO.ENOENT);
        return reply.struct("fuse_entry_out", {
          nodeid: FILE,
          entry_valid: VALID_S,
          attr_valid: VALID_S,
          attr: this.#attributes(FILE),
        });
      }
      case OPCODES.GETATTR.opcode:
        return reply.struct("fuse_attr_out", {
          attr_valid: VALID_S,
          attr: this.#attributes(request.nodeid),
        });
      case OPCODES.OPEN.opcode:
        return reply.struct("fuse_open_out", { open_flags: FOPEN.KEEP_CACHE });
      case OPCODES.READ.opcode: {
        const bytes = ENCODER.encode(this.text);
        reply.data.set(bytes);
        return reply.ok(bytes.length);
      }
      default:
        return reply.error(ERRNO.ENOSYS);
    }
  }

  #attributes(nodeid: bigint) {
    return nodeid === ROOT
      ? { ino: ROOT, mode: S_IF.DIR | 0o755, nlink: 2 }
      : { ino: FILE, mode: S_IF.REG | 0o444, nlink: 1, size: 6n };
  }
}

/** Mounts a directory with one file, served by this thread. */
async function mountOneFile(place: TemporaryMountpoint) {
  const handler = new OneFile();
  const mountpoint = place.path("mnt");
  await Deno.mkdir(mountpoint);
  const session = await mountHandler({ handler, mountpoint });
  const read = async () =>
    (await shell("cat $1 2>&1", `${mountpoint}/file`)).stdout;
  return { handler, session, notifier: session.notifier, read };
}

kernelTest(
  "notifications make the kernel drop what it has cached",
  async () => {
    using place = new TemporaryMountpoint();
    const { handler, session, notifier, read } = await mountOneFile(place);
    try {
      assertEquals(await read(), "first\n");
      handler.text = "other\n";
      assertEquals(await read(), "first\n");
      assert(await notifier.invalidateInode(FILE));
      assertEquals(await read(), "other\n");
      assert(await notifier.store(FILE, 0, ENCODER.encode("store")));
      assertEquals(await read(), "store\n");
      assert(await notifier.invalidateAttributes(FILE));
      handler.name = "renamed";
      assertEquals(await read(), "store\n");
      assert(await notifier.invalidateEntry(ROOT, "file"));
      assert((await read()).includes("No such file"));
      assertEquals(await notifier.invalidateInode(12345n), false);
      assertEquals(await notifier.invalidateEntry(ROOT, "nothing"), false);
    } finally {
      assert((await session.close()).clean);
    }
    await assertRejects(
      () => notifier.invalidateInode(FILE),
      UserError,
      "Cannot send INVAL_INODE to the kernel: the session has ended",
    );
  },
);

kernelTest(
  "a notification can be sent, and not awaited, in a handler",
  async () => {
    using place = new TemporaryMountpoint();
    const { handler, session, notifier, read } = await mountOneFile(place);
    const sent: Promise<boolean>[] = [];
    handler.onLookup = () => {
      for (let i = 0; i < 20; i++) {
        sent.push(notifier.invalidateEntry(ROOT, "file"));
      }
    };
    assertEquals(await read(), "first\n");
    const accepted = await Promise.all(sent);
    assertEquals(accepted.length, 20);
    assert((await session.close()).clean);
  },
);

kernelTest(
  "a handler that awaits a notification before it answers blocks only that request",
  async () => {
    using place = new TemporaryMountpoint();
    const { handler, session, notifier, read } = await mountOneFile(place);
    let isDone = false;
    let called = false;
    handler.onLookup = async () => {
      called = true;
      await notifier.invalidateEntry(ROOT, "file");
      isDone = true;
    };
    const reading = read();
    while (!called) await pause();
    // The thread is not blocked: it answers other requests meanwhile.
    handler.onLookup = () => {};
    const { stdout } = await client("stat", "-c", "%F", session.mountpoint);
    assertEquals([stdout, isDone], ["directory\n", false]);
    await session.abort();
    assert(!(await reading).includes("first"));
  },
);

kernelTest(
  "the same in a Worker: the end of the session settles the notification",
  async () => {
    using place = new TemporaryMountpoint();
    const mountpoint = place.path("mnt");
    await Deno.mkdir(mountpoint);
    const options = new Int32Array(new SharedArrayBuffer(8));
    const module = import.meta.resolve("./awaiting_module.ts");
    const session = await mountHandler({
      handler: { module, options },
      mountpoint,
      stopTimeout: 0,
    });
    const looking = shell("ls $1", `${mountpoint}/name`);
    while (Atomics.load(options, AWAITING.CALLED) === 0) await pause();
    const { stdout } = await client("stat", "-c", "%F", mountpoint);
    assertEquals(stdout, "directory\n");
    assertEquals(Atomics.load(options, AWAITING.SETTLED), 0);
    const later = session.notifier.invalidateInode(ROOT);
    await session.close();
    assertEquals((await looking).stdout, "");
    // Whether the kernel has taken it depends on what comes first.
    await later.catch((error) => assert(error instanceof UserError));
  },
);

kernelTest("an export can be notified too, and traces it", async () => {
  using place = new TemporaryMountpoint();
  const { mountpoint } = place;
  const seen: string[] = [];
  await using session = await mountExport({
    source: "null:1M",
    mountpoint,
    queues: 2,
    trace: ({ notification }) => {
      if (notification !== undefined) seen.push(notification);
    },
  });
  await client("cat", mountpoint);
  assert(await session.notifier.invalidateInode(ROOT));
  assertEquals(seen, ["INVAL_INODE"]);
});
