import { assertEquals } from "@std/assert";
import { FileSync } from "../../src/backends/protocols/file/file_sync.ts";
import { SyncErrors } from "../../src/backends/sync_errors.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { Completion } from "../../src/event/completion.ts";
import { FakeBlockFile } from "./_fake_block_file.ts";

const { EIO, ENOSPC, ECANCELED } = ERRNO;

/** Open file descriptions of one file, told of errors as the kernel does. */
class FakeKernel {
  readonly #news: number[] = [];

  /** Opens a description. */
  open(): FakeBlockFile {
    const index = this.#news.push(0) - 1;
    const file = new FakeBlockFile(0);
    const ask = () => {
      const error = this.#news[index]!;
      this.#news[index] = 0;
      return -error;
    };
    return Object.assign(file, { fdatasync: ask, writebackError: ask });
  }

  /** Write-back fails. */
  fail(errno: number = EIO): void {
    this.#news.fill(errno);
  }
}

/** Two threads that flush one file. */
function twoThreads() {
  const kernel = new FakeKernel();
  const errors = SyncErrors.create();
  const counter = { first: kernel.open(), errors };
  const [a, b] = [1, 2].map(() => new FileSync(kernel.open(), counter));
  return { kernel, errors, counter, a: a!, b: b! };
}

Deno.test("FileSync counts an error once for all threads", () => {
  const { kernel, errors, a, b } = twoThreads();
  assertEquals([a.flushNow(), errors.count], [0, 0]);
  kernel.fail();
  assertEquals([a.flushNow(), errors.count], [-EIO, 1]);
  // The count has told this thread; the kernel tells it nothing new.
  assertEquals([b.flushNow(), errors.count], [0, 1]);
  assertEquals([a.flushNow(), errors.count], [0, 1]);
  kernel.fail(ENOSPC);
  assertEquals([b.flushNow(), errors.count], [-ENOSPC, 2]);
  assertEquals(errors.errno, ENOSPC);
});

Deno.test("FileSync counts an error that comes after one of another thread", () => {
  const { kernel, errors, a, b } = twoThreads();
  kernel.fail();
  assertEquals(a.flushNow(), -EIO);
  kernel.fail();
  // The kernel tells this thread of both at once; only the second is new.
  assertEquals(b.flushNow(), 0);
  assertEquals(errors.count, 2);
  assertEquals([a.flushNow(), errors.count], [0, 2]);
});

Deno.test("FileSync counts an error that is no write-back error", () => {
  const kernel = new FakeKernel();
  const errors = SyncErrors.create();
  const file = kernel.open();
  const first = kernel.open();
  // A device whose cache cannot be flushed fails each time.
  file.fdatasync = () => -EIO;
  const sync = new FileSync(file, { first, errors });
  assertEquals([sync.flushNow(), errors.count], [-EIO, 1]);
  assertEquals([sync.flushNow(), errors.count], [-EIO, 2]);
});

Deno.test("FileSync counts no sync that an ended event source refused", () => {
  const errors = SyncErrors.create();
  const kernel = new FakeKernel();
  const counter = { first: kernel.open(), errors };
  const sync = new FileSync(kernel.open(), counter, () => -ECANCELED);
  assertEquals([sync.flush(), errors.count], [-ECANCELED, 0]);
});

Deno.test("flushes that come during a sync share the next one", async () => {
  const kernel = new FakeKernel();
  const errors = SyncErrors.create();
  const file = kernel.open();
  const syncs: Completion<number>[] = [];
  const counter = { first: kernel.open(), errors };
  const sync = new FileSync(file, counter, () => {
    syncs.push(Completion.start<number>());
    return syncs.at(-1)!;
  });
  const flushes = [sync.flush(), sync.flush(), sync.flush()];
  assertEquals(syncs.length, 1);
  kernel.fail();
  syncs[0]!.complete(file.fdatasync());
  assertEquals(syncs.length, 2);
  const late = sync.flush();
  syncs[1]!.complete(file.fdatasync());
  assertEquals(syncs.length, 3);
  syncs[2]!.complete(file.fdatasync());
  const results = await Promise.all(
    [...flushes, late].map(async (x) => await x),
  );
  assertEquals(results, [-EIO, 0, 0, 0]);
  // Those that shared a later sync find the error in the count.
  assertEquals(errors.count, 1);
  assertEquals(errors.resultSince(0, 0), -EIO);
  assertEquals(errors.resultSince(0, 1), 0);
});

Deno.test("SyncErrors knows whether a client has seen every error", () => {
  const errors = SyncErrors.create();
  const other = SyncErrors.over(errors.memory);
  assertEquals(errors.allSeen, true);
  other.add(EIO);
  assertEquals([errors.allSeen, errors.count, errors.errno], [false, 1, EIO]);
  other.add(ENOSPC);
  errors.see(1);
  assertEquals(other.allSeen, false);
  errors.see(2);
  errors.see(1);
  assertEquals(other.allSeen, true);
});
