/**
 * Images on a file system whose server does not answer.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import {
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  within,
} from "./_harness.ts";
import { SilentStorage } from "./_silent_storage.ts";
import { uringTest } from "./_uring.ts";

/** What waits for the server, also where the kernel has the bytes. */
const ASKS: readonly number[] = [
  OPCODES.GETATTR.opcode,
  OPCODES.STATX.opcode,
  OPCODES.STATFS.opcode,
  OPCODES.LSEEK.opcode,
];

/** Opens `$1`; after a line, waits for stat and SEEK_DATA, and reads a block. */
const CLIENT = `
import mmap, os, sys, threading
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
print("open", flush=True)
sys.stdin.readline()
waiting = [
    lambda: os.stat(sys.argv[1]),
    lambda: os.lseek(os.open(sys.argv[1], os.O_RDONLY), 0, os.SEEK_DATA),
]
for each in waiting:
    threading.Thread(target=each, daemon=True).start()
sys.stdin.readline()
block = mmap.mmap(-1, 4096)
print(os.preadv(fd, [block], 4096), flush=True)
os._exit(0)
`;

async function readsGoOn(directory: string, transport: string): Promise<void> {
  const { image, mountpoint } = await imageIn(directory, MIB);
  await using storage = await SilentStorage.mount(image, ASKS);
  const args = ["--direct", "--no-lock", `--transport=${transport}`];
  await using _ = await ExportProcess.start([...args, image, mountpoint]);
  const client = new Deno.Command("timeout", {
    args: ["-k", "2", "40", "python3", "-c", CLIENT, mountpoint],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = client.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  const line = async () => (await within(output.read(), "a line")).value;
  const input = client.stdin.getWriter();
  const go = () => input.write(new TextEncoder().encode("\n"));
  assertEquals(await line(), "open");
  storage.silence();
  // The kernel caches attributes for a second.
  await must("sleep", "1.2");
  await go();
  await must("sleep", "0.5");
  await go();
  assertEquals(await line(), "4096");
  await input.close();
  await output.cancel();
  // Frees the calls that wait, and with them the client.
  await storage[Symbol.asyncDispose]();
  await client.status;
}

mountTest(
  "reads go on while stat and SEEK_DATA wait for a server, over /dev/fuse",
  (directory) => readsGoOn(directory, "device"),
  ["python3"],
);

uringTest(
  "reads go on while stat and SEEK_DATA wait for a server, over io_uring",
  (directory) => readsGoOn(directory, "uring"),
  ["python3"],
);
