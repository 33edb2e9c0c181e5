import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import {
  type LinuxMessagePipe,
  openMessagePipe,
} from "../../src/linux/io/message_pipe.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { missingPermission, testIf } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

const missing = missingPermission("ffi", "read", "write");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

const PAGE = 4096;
const SIZE = 5 * PAGE + 100;
const HEAD = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const O_RDWR = 2;
const O_WRONLY = 1;

/** A file of bytes, a file to send to, and a pipe. */
interface Fixture {
  readonly pipe: LinuxMessagePipe;
  readonly bytes: Uint8Array;
  readonly path: string;
  readonly source: number;
  readonly target: number;
  /** What was sent to the target so far. */
  sent(): Uint8Array;
}

function testPipe(name: string, body: (fixture: Fixture) => void): void {
  testIf(missing, name, () =>
    inTemporaryDirectory((directory) => {
      const path = `${directory}/source`;
      const to = `${directory}/target`;
      const bytes = Uint8Array.from({ length: SIZE }, (_, i) => i * 31 >> 3);
      Deno.writeFileSync(path, bytes);
      Deno.writeFileSync(to, new Uint8Array());
      const source = open(path, O_RDWR);
      const target = open(to, O_WRONLY);
      const pipe = openMessagePipe();
      try {
        const sent = () => Deno.readFileSync(to);
        body({ pipe, bytes, path, source, target, sent });
      } finally {
        pipe.close();
        pipe.close();
        libc().close(source);
        libc().close(target);
      }
    }));
}

function open(path: string, flags: number): number {
  const name = new TextEncoder().encode(`${path}\0`);
  const fd = libc().openat(-100, name, flags, 0);
  assert(fd >= 0);
  return fd;
}

function begin(pipe: LinuxMessagePipe): void {
  pipe.begin(new DataView(HEAD.buffer), HEAD.length);
}

testPipe(
  "a pipe sends a head and pieces of files as one message",
  (fixture) => {
    const { pipe, bytes, source, target, sent } = fixture;
    begin(pipe);
    assertEquals(pipe.append(source, 0, 2 * PAGE), 2 * PAGE);
    assertEquals(pipe.append(source, 100, PAGE), PAGE);
    assertEquals(pipe.append(source, SIZE - 7, 7), 7);
    const length = HEAD.length + 3 * PAGE + 7;
    assertEquals(pipe.send(target), length);
    assertEquals(
      sent(),
      Uint8Array.from([
        ...HEAD,
        ...bytes.subarray(0, 2 * PAGE),
        ...bytes.subarray(100, 100 + PAGE),
        ...bytes.subarray(SIZE - 7),
      ]),
    );
    begin(pipe);
    assertEquals(pipe.append(source, 5, 10), 10);
    assertEquals(pipe.send(target), HEAD.length + 10);
    assertEquals(sent().length, length + HEAD.length + 10);
  },
);

testPipe("a pipe appends less at the end of a file", (fixture) => {
  const { pipe, source, target, path, sent } = fixture;
  begin(pipe);
  assertEquals(pipe.append(source, SIZE - 10, PAGE), 10);
  Deno.truncateSync(path, 2 * PAGE);
  begin(pipe);
  assertEquals(pipe.append(source, PAGE, 4 * PAGE), PAGE);
  begin(pipe);
  assertEquals(pipe.append(source, 2 * PAGE, PAGE), 0);
  // What was discarded is not sent with the next message.
  begin(pipe);
  assertEquals(pipe.append(source, 0, PAGE), PAGE);
  assertEquals(pipe.send(target), HEAD.length + PAGE);
  assertEquals(sent().length, HEAD.length + PAGE);
});

testPipe("a pipe never waits for room", ({ pipe, source, path, target }) => {
  const { capacity } = pipe;
  assert(capacity >= 62 * PAGE);
  Deno.truncateSync(path, capacity + 4 * PAGE);
  begin(pipe);
  assertEquals(pipe.append(source, 0, capacity + 2 * PAGE), 0);
  begin(pipe);
  assertEquals(pipe.append(source, 1, capacity), capacity);
  assertEquals(pipe.append(source, 0, 2 * PAGE), 0);
  assertEquals(pipe.append(source, 0, PAGE), 0);
  assertEquals(pipe.send(target), HEAD.length + capacity);
});

testPipe("a pipe gives back what a failed send has left", (fixture) => {
  const { pipe, bytes, source, target, sent } = fixture;
  begin(pipe);
  assertEquals(pipe.append(source, PAGE, PAGE), PAGE);
  assertEquals(pipe.send(-1), -ERRNO.EBADF);
  const buffer = new Uint8Array(new ArrayBuffer(4 * PAGE));
  assertEquals(pipe.drain(buffer), HEAD.length + PAGE);
  const wanted = [...HEAD, ...bytes.subarray(PAGE, 2 * PAGE)];
  assertEquals([...buffer.subarray(0, wanted.length)], wanted);
  assertEquals(pipe.drain(buffer), 0);
  // Without draining, the next message is whole all the same.
  begin(pipe);
  assertEquals(pipe.append(source, 0, SIZE), SIZE);
  assertEquals(pipe.send(-1), -ERRNO.EBADF);
  begin(pipe);
  assertEquals(pipe.append(source, 0, 1), 1);
  assertEquals(pipe.send(target), HEAD.length + 1);
  assertEquals([...sent()], [...HEAD, bytes[0]!]);
});

testPipe("a pipe passes on the errors of splice", ({ pipe, source }) => {
  begin(pipe);
  assertEquals(pipe.append(-1, 0, PAGE), -ERRNO.EBADF);
  begin(pipe);
  assertEquals(pipe.append(source, 0, PAGE), PAGE);
  pipe.close();
  assertEquals(pipe.append(source, 0, PAGE), -ERRNO.EBADF);
  assertEquals(pipe.send(source), -ERRNO.EBADF);
  assertEquals(pipe.capacity, 0);
});

testPipe(
  "a message refers to the pages of the file until it is sent",
  (fixture) => {
    const { pipe, path, source, target, sent } = fixture;
    begin(pipe);
    assertEquals(pipe.append(source, 0, PAGE), PAGE);
    using file = Deno.openSync(path, { write: true });
    file.writeSync(new Uint8Array(PAGE).fill(0x77));
    assertEquals(pipe.send(target), HEAD.length + PAGE);
    const data = sent().subarray(HEAD.length);
    assert(data.every((byte) => byte === 0x77));
  },
);
