import { assert, assertEquals } from "@std/assert";
import type { Backend } from "../../src/backends/backend.ts";
import { FilterBackend } from "../../src/backends/filter_backend.ts";
import { WindowBackend } from "../../src/backends/filters/window.ts";
import { WritethroughBackend } from "../../src/backends/filters/writethrough.ts";
import { FileBackend } from "../../src/backends/protocols/file/file_backend.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { BlockExport } from "../../src/export/block_export.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import { FakeBlockFile } from "../backends/_fake_block_file.ts";
import { FakeDevice } from "../queue/fake_device.ts";
import { byteAt, FakePipe } from "../queue/fake_pipe.ts";
import { parseReply, readMessage, take } from "../queue/messages.ts";

const SIZE = 100_000;
const FROM = 16384;
const FD = -1;

/** An export over a queue with a pipe; the file's bytes are all 0x11. */
class Fixture {
  readonly device = new FakeDevice();
  readonly pipe = new FakePipe();
  readonly file = new FakeBlockFile(SIZE);
  readonly #queue: DeviceQueue;
  readonly #handler: BlockExport;

  constructor(over: (file: FileBackend) => Backend = (file) => file) {
    this.file.pwrite(new Uint8Array(SIZE).fill(0x11), 0, SIZE, 0);
    const { device, pipe } = this;
    this.#queue = new DeviceQueue(device, { maxPayload: 65536, pipe });
    const backend = over(new FileBackend(this.file, "disk.img", true));
    this.#handler = new BlockExport({
      backend,
      state: ExportState.create({ size: SIZE, mode: 0o600, uid: 1, gid: 2 }),
      rules: { writable: true, growable: false, allowOther: false },
      splicing: { pipe, from: FROM },
    });
  }

  /** Reads; tells how the reply was sent. */
  async read(
    position: number,
    size: number,
  ): Promise<{ errno: number; body: Uint8Array; spliced: boolean }> {
    this.device.push(readMessage(2n, position, size));
    const exchange = await take(this.#queue);
    await this.#handler.handle(exchange.request, exchange.reply);
    assert(this.#queue.reply(exchange));
    const spliced = this.pipe.sent.pop()?.message;
    const written = this.device.written.pop();
    assert((spliced === undefined) !== (written === undefined));
    const { error, len, body } = parseReply(spliced ?? written!);
    assertEquals(len, body.length + 16);
    return { errno: -error, body, spliced: spliced !== undefined };
  }
}

Deno.test("a large READ of a file is spliced", async () => {
  const fixture = new Fixture();
  const { errno, body, spliced } = await fixture.read(5000, FROM);
  assertEquals([errno, spliced], [0, true]);
  assertEquals(fixture.pipe.appended, [[FD, 5000, FROM]]);
  assertEquals(body.length, FROM);
  assert(body.every((byte, i) => byte === byteAt(5000 + i)));
});

Deno.test("a READ of fewer bytes is read", async () => {
  const { errno, body, spliced } = await new Fixture().read(5000, FROM - 1);
  assertEquals([errno, spliced, body.length], [0, false, FROM - 1]);
  assert(body.every((byte) => byte === 0x11));
});

Deno.test("a spliced READ stops at the end of the image", async () => {
  const long = await new Fixture().read(SIZE - FROM, 65536);
  assertEquals([long.spliced, long.body.length], [true, FROM]);
  const short = await new Fixture().read(SIZE - FROM + 1, 65536);
  assertEquals([short.spliced, short.body.length], [false, FROM - 1]);
  const none = await new Fixture().read(SIZE, 65536);
  assertEquals([none.errno, none.body.length], [0, 0]);
});

Deno.test("a READ is read if the file ends before the range", async () => {
  const fixture = new Fixture();
  // The export's size is still the old one.
  fixture.pipe.fileEnd = 20_000;
  fixture.file.ftruncate(20_000);
  const cut = await fixture.read(10_000, FROM);
  assertEquals([cut.errno, cut.spliced], [ERRNO.EIO, false]);
  fixture.pipe.fileEnd = SIZE;
  fixture.file.ftruncate(SIZE);
  const whole = await fixture.read(30_000, FROM);
  assertEquals([whole.errno, whole.spliced, whole.body.length], [
    0,
    true,
    FROM,
  ]);
});

Deno.test("a READ is read if splicing fails, and the error is told", async () => {
  const fixture = new Fixture();
  fixture.pipe.append = () => -ERRNO.EIO;
  const { errno, body, spliced } = await fixture.read(0, FROM);
  assertEquals([errno, spliced, body.length], [0, false, FROM]);
  assert(body.every((byte) => byte === 0x11));
});

Deno.test("a window splices at its offset", async () => {
  const window = { offset: 3000, size: null };
  const fixture = new Fixture((file) => new WindowBackend(file, window));
  assert((await fixture.read(5000, FROM)).spliced);
  assertEquals(fixture.pipe.appended, [[FD, 8000, FROM]]);
});

Deno.test("writethrough splices reads", async () => {
  const fixture = new Fixture((file) => new WritethroughBackend(file));
  assert((await fixture.read(0, FROM)).spliced);
});

Deno.test("a filter that changes reads is not passed by", async () => {
  class Inverted extends FilterBackend {
    override read(
      at: number,
      buffer: Uint8Array,
      start: number,
      length: number,
    ) {
      const got = this.image.read(at, buffer, start, length) as number;
      for (let i = start; i < start + got; i++) buffer[i]! ^= 0xff;
      return got;
    }
  }
  const fixture = new Fixture((file) => new Inverted(file));
  const { spliced, body } = await fixture.read(0, FROM);
  assert(!spliced);
  assert(body.every((byte) => byte === 0xee));
});

Deno.test("an image that is no file is read", async () => {
  const { spliced, body } = await new Fixture(() => new NullBackend(SIZE))
    .read(0, FROM);
  assert(!spliced);
  assert(body.every((byte) => byte === 0));
});
