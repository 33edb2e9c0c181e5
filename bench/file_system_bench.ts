/**
 * What the layer for file systems costs: READ and WRITE that a file system
 * answers at once. Before anything is measured, a million of them must leave the
 * heap alone.
 */
import { S_IF } from "../src/base/file_flags.ts";
import type { FileSystem } from "../src/filesystem/file_system.ts";
import { FileSystemHandler } from "../src/filesystem/file_system_handler.ts";
import {
  contiguousExchange,
  encodeRequest,
  type Exchange,
  ProtocolVersion,
} from "../src/protocol/mod.ts";
import { checkAllocation } from "./allocation.ts";

const protocolVersion = new ProtocolVersion();

/** What the file system has got, so that the compiler has to make it. */
let last: Uint8Array | null = null;

/** A file system of one file without data. */
const fs: FileSystem<{ readonly mode: number }> = {
  root: { mode: S_IF.REG | 0o666 },
  getattr: (node) => node,
  open: () => "a handle",
  read: (_node, into) => (last = into).length,
  write: (_node, data) => (last = data).length,
};
const handler = new FileSystemHandler(fs);

function exchangeOf(message: Uint8Array): Exchange {
  const incoming = new Uint8Array(8192);
  incoming.set(message);
  return contiguousExchange(incoming, new Uint8Array(8192));
}

function handle({ request, reply }: Exchange, length: number): void {
  reply.reset();
  if (request.validate(length, protocolVersion) !== null) {
    throw new Error("Refused");
  }
  const answer = handler.handle(request, reply);
  if (answer !== undefined || reply.errno !== 0) {
    throw new Error("Not answered");
  }
}

const openMessage = encodeRequest("OPEN", { header: { nodeid: 1n } });
handle(exchangeOf(openMessage), openMessage.length);
const fh = 1n;
const readMessage = encodeRequest("READ", {
  header: { unique: 2n ** 53n + 2n, nodeid: 1n },
  body: { fh, offset: 8192n, size: 512 },
});
const writeMessage = encodeRequest("WRITE", {
  header: { unique: 2n ** 53n + 4n, nodeid: 1n },
  body: { fh, offset: 8192n },
  data: new Uint8Array(512),
});
const read = exchangeOf(readMessage);
const write = exchangeOf(writeMessage);

checkAllocation(() => {
  handle(read, readMessage.length);
  handle(write, writeMessage.length);
});
if (last === null) throw new Error("The file system got nothing");

Deno.bench("READ of a file system", () => {
  handle(read, readMessage.length);
});

Deno.bench("WRITE of a file system", () => {
  handle(write, writeMessage.length);
});
