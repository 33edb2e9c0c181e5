import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import {
  BoundedWriter,
  RECORDS_MAX,
  Turns,
  WAITING_MAX,
} from "../../src/cli/output/bounded_writer.ts";

/** A stream whose reader the test plays. */
class FakeStream {
  readonly name = "standard output";
  /** All that has been written. */
  text = "";
  readonly failures: string[] = [];
  /** What the next calls return; all that they are given if it is empty. */
  readonly results: number[] = [];
  /** The most bytes that one call was given. */
  largest = 0;
  #gate = Promise.resolve();
  #open = () => {};

  /** Makes calls wait, as for a reader that has stopped. */
  stop(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#open = resolve;
  }

  /** Lets calls go on. */
  continue(): void {
    this.#open();
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    this.largest = Math.max(this.largest, bytes.byteLength);
    await this.#gate;
    const result = this.results.shift() ?? bytes.byteLength;
    if (result > 0) {
      this.text += new TextDecoder().decode(bytes.subarray(0, result));
    }
    return result;
  }

  describe(errno: number): string {
    return `error ${errno}`;
  }

  droppedLine(lines: number): string {
    return `dropped ${lines}\n`;
  }

  onFailure(error: Error): void {
    this.failures.push(error.message);
  }
}

const LINE = `${"x".repeat(1023)}\n`;
const LINE_BYTES = 1024;

/** Writes lines of 1 KiB; returns how many of them were taken. */
function fill(writer: BoundedWriter, lines: number): number {
  let taken = 0;
  for (let i = 0; i < lines; i++) {
    if (writer.write(LINE, "record")) taken++;
  }
  return taken;
}

Deno.test("BoundedWriter writes lines in their order, however little a stream takes", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  stream.results.push(2, 0, 3, 1);
  const lines = Array.from({ length: 500 }, (_, i) => `line ${i}\n`);
  for (const line of lines) assert(writer.write(line, "record"));
  await writer.finish();
  assertEquals(stream.text, lines.join(""));
  assertEquals([writer.dropped, writer.failure], [0, null]);
});

Deno.test("BoundedWriter is full while every record would be dropped", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  stream.stop();
  fill(writer, RECORDS_MAX / LINE_BYTES);
  assertEquals(writer.isFull, false);
  fill(writer, 1);
  assertEquals(writer.isFull, true);
  stream.continue();
  await writer.finish();
  assertEquals(writer.isFull, false);
  assertEquals(fill(writer, 1), 1);
  await writer.finish();
});

Deno.test("BoundedWriter drops what finds no room, and tells the reader where", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  stream.stop();
  const room = RECORDS_MAX / LINE_BYTES;
  const taken = fill(writer, room + 100);
  assertEquals([taken, writer.dropped], [room, 100]);
  // Messages find room although records do not, up to another limit.
  assert(writer.write("important\n", "message"));
  assertEquals(fill(writer, 10), 0);
  stream.continue();
  await writer.finish();
  assertEquals(writer.dropped, 110);
  assertEquals(
    stream.text,
    `${LINE.repeat(taken)}dropped 100\nimportant\ndropped 10\n`,
  );
  // It goes on as if nothing had happened.
  assert(writer.write("last\n", "record"));
  await writer.finish();
  assert(stream.text.endsWith("dropped 10\nlast\n"));
});

Deno.test("BoundedWriter limits the bytes of messages too", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  stream.stop();
  let taken = 0;
  while (writer.write(LINE, "message")) taken++;
  assertEquals(taken, WAITING_MAX / LINE_BYTES);
  assertEquals(writer.dropped, 1);
  stream.continue();
  await writer.finish();
  assertEquals(stream.text, `${LINE.repeat(taken)}dropped 1\n`);
});

Deno.test("BoundedWriter takes a line that is larger than all room", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  const line = `${"y".repeat(2 * RECORDS_MAX)}\n`;
  assert(writer.write(line, "record"));
  await writer.finish();
  assertEquals(stream.text, line);
});

Deno.test("BoundedWriter waits for a reader that has stopped for a limited time", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  stream.stop();
  writer.write("line\n", "message");
  const start = performance.now();
  await writer.finish();
  const ms = performance.now() - start;
  assert(ms >= 900, `${ms}`);
  stream.continue();
  await writer.finish();
  assertEquals(stream.text, "line\n");
});

Deno.test("BoundedWriter waits a limited time for a reader that is slow", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  let calls = 0;
  stream.write = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    calls++;
    return 1;
  };
  writer.write(LINE, "message");
  const start = performance.now();
  await writer.finish();
  const ms = performance.now() - start;
  assert(ms >= 2900, `${ms}`);
  assertLess(calls, LINE_BYTES);
  // Ends the writing.
  stream.write = (bytes) => Promise.resolve(bytes.byteLength);
  await writer.finish();
});

Deno.test("BoundedWriter reports a full disk, and goes on when there is room", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  writer.write("first\n", "message");
  await writer.finish();
  // The second line is torn, the third is lost as a whole.
  stream.stop();
  stream.results.push(3, -ERRNO.ENOSPC);
  writer.write("second\n", "message");
  stream.continue();
  await writer.finish();
  stream.results.push(-ERRNO.ENOSPC);
  writer.write("third\n", "message");
  await writer.finish();
  assertEquals(stream.failures, ["Cannot write to standard output: error 28"]);
  writer.write("fourth\n", "message");
  await writer.finish();
  assertEquals(stream.text, "first\nsec\ndropped 2\nfourth\n");
  assertEquals(writer.dropped, 2);
  assertEquals(writer.failure?.isClosed, false);
  // Another run of failures is told again.
  stream.results.push(-ERRNO.ENOSPC);
  writer.write("fifth\n", "message");
  await writer.finish();
  assertEquals(stream.failures.length, 2);
});

Deno.test("BoundedWriter goes on without a reader", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  stream.results.push(-ERRNO.EPIPE);
  writer.write("first\n", "message");
  await writer.finish();
  assertEquals(writer.write("second\n", "message"), false);
  await writer.finish();
  assertEquals(stream.text, "");
  assertEquals([writer.failure, writer.dropped], [null, 0]);
  assertEquals(stream.failures, []);
});

Deno.test("BoundedWriters of one file do not write into each other's lines", async () => {
  const turns = new Turns();
  const stream = new FakeStream();
  const writers = [0, 1].map(() =>
    new BoundedWriter({
      name: "a pipe",
      turns,
      // One byte at a time.
      write: (bytes) => stream.write(bytes.subarray(0, 1)),
      describe: String,
      droppedLine: String,
    })
  );
  for (let i = 0; i < 20; i++) {
    writers[i % 2]!.write(`line ${i}\n`, "message");
    await Promise.resolve();
  }
  await Promise.all(writers.map((writer) => writer.finish()));
  const lines = stream.text.trimEnd().split("\n");
  assertEquals(lines.length, 20);
  for (const line of lines) assertMatch(line, /^line \d+$/);
});

Deno.test("BoundedWriter counts lines that were dropped before", async () => {
  const stream = new FakeStream();
  const writer = new BoundedWriter(stream);
  writer.drop(7);
  writer.write("line\n", "record");
  await writer.finish();
  writer.drop(1);
  await writer.finish();
  assertEquals(stream.text, "dropped 7\nline\ndropped 1\n");
  assertEquals(writer.dropped, 8);
});
