/**
 * Images on a file system whose server does not answer, as NFS when its server
 * is gone. Here the server is a FUSE file system of this process.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { mountHandler } from "../../mod.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { BlockExport, exportCapabilities } from "../../src/export/mod.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { RequestHandler } from "../../src/queue/mod.ts";
import {
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  within,
} from "./_harness.ts";
import { uringTest } from "./_uring.ts";

const RULES = { writable: true, growable: false, allowOther: false };

/** What waits for the server, also where the kernel has the bytes. */
const ASKS: readonly number[] = [
  OPCODES.GETATTR.opcode,
  OPCODES.STATX.opcode,
  OPCODES.STATFS.opcode,
  OPCODES.LSEEK.opcode,
];

/** A disk whose server answers no questions about the file once it is `deaf`. */
class Server implements RequestHandler {
  deaf = false;
  readonly #disk: BlockExport;

  constructor() {
    const backend = new MemoryBackend(createMemoryDisk(MIB));
    const state = ExportState.create({
      size: MIB,
      mode: 0o600,
      uid: 0,
      gid: 0,
    });
    this.#disk = new BlockExport({ backend, state, rules: RULES });
  }

  handle(...[request, reply]: Parameters<RequestHandler["handle"]>) {
    if (this.deaf && ASKS.includes(request.opcode)) {
      return new Promise(() => {});
    }
    return this.#disk.handle(request, reply);
  }
}

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
  const server = new Server();
  const storage = await mountHandler({
    handler: server,
    root: "file",
    mountpoint: image,
    writable: true,
    wanted: exportCapabilities(RULES),
    transport: "device",
  });
  try {
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
    server.deaf = true;
    // The kernel caches attributes for a second.
    await must("sleep", "1.2");
    await go();
    await must("sleep", "0.5");
    await go();
    assertEquals(await line(), "4096");
    await input.close();
    await output.cancel();
    // Frees the calls that wait, and with them the client.
    await storage.abort();
    await client.status;
  } finally {
    await storage.abort();
  }
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
