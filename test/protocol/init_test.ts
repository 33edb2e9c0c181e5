import { assertEquals } from "@std/assert";
import {
  contiguousExchange,
  decodeReply,
  encodeRequest,
  initFlag,
  initFlagNames,
  isNegotiated,
  negotiate,
  type OfferedCapabilities,
  ProtocolVersion,
  protocolVersionOf,
  readInit,
  replyInit,
  type WantedCapabilities,
} from "../../src/protocol/mod.ts";

const WANTED: WantedCapabilities = {
  flags: ["ASYNC_READ", "MAX_PAGES", "DIRECT_IO_ALLOW_MMAP", "SETXATTR_EXT"],
  maxWrite: 1 << 20,
  maxBackground: 100,
  congestionThreshold: 75,
};

/** The capabilities that Linux 6.18 offers. */
const OFFERED: OfferedCapabilities = {
  major: 7,
  minor: 45,
  maxReadahead: 131072,
  flags: 0x7fdn << 32n | 0x73ff_fffbn,
};

function negotiated(
  offered: Partial<OfferedCapabilities>,
  wanted: Partial<WantedCapabilities> = {},
) {
  const outcome = negotiate({ ...OFFERED, ...offered }, {
    ...WANTED,
    ...wanted,
  });
  if (typeof outcome === "string") throw new Error(outcome);
  return outcome;
}

/** Answers INIT as a server does. */
function answer(offered: OfferedCapabilities) {
  const request = encodeRequest("INIT", {
    header: { unique: 2n },
    body: {
      major: offered.major,
      minor: offered.minor,
      max_readahead: offered.maxReadahead,
      flags: Number(offered.flags & 0xffff_ffffn),
      flags2: Number(offered.flags >> 32n),
    },
  });
  const outgoing = new Uint8Array(128).fill(0xa5);
  const exchange = contiguousExchange(request, outgoing);
  assertEquals(
    exchange.request.validate(request.length, ProtocolVersion.BEFORE_INIT),
    null,
  );
  const read = readInit(exchange.request);
  replyInit(exchange.reply, negotiate(read, WANTED));
  const bytes = exchange.reply.copy();
  return { read, reply: decodeReply("INIT", bytes), bytes };
}

Deno.test("negotiate() takes the lower minor version", () => {
  assertEquals(negotiated({ minor: 31 }).minor, 31);
  assertEquals(negotiated({ minor: 99 }).minor, 45);
});

Deno.test("negotiate() makes a newer kernel retry, and refuses an old one", () => {
  assertEquals(negotiate({ ...OFFERED, major: 8 }, WANTED), "retry");
  assertEquals(negotiate({ ...OFFERED, major: 6 }, WANTED), "refuse");
  assertEquals(negotiate({ ...OFFERED, minor: 5 }, WANTED), "refuse");
});

Deno.test("negotiate() sets the flags that are offered and wanted", () => {
  const outcome = negotiated({});
  assertEquals(initFlagNames(outcome.flags), [
    "ASYNC_READ",
    "MAX_PAGES",
    "SETXATTR_EXT",
    "INIT_EXT",
    "DIRECT_IO_ALLOW_MMAP",
  ]);
  assertEquals(isNegotiated(outcome, "DIRECT_IO_ALLOW_MMAP"), true);
  assertEquals(isNegotiated(outcome, "POSIX_ACL"), false);
});

Deno.test("negotiate() drops the second word without INIT_EXT", () => {
  const flags = OFFERED.flags & ~initFlag("INIT_EXT");
  assertEquals(negotiated({ flags }).flags >> 32n, 0n);
});

Deno.test("negotiate() limits WRITE to 32 pages without MAX_PAGES", () => {
  const flags = OFFERED.flags & ~initFlag("MAX_PAGES");
  const { maxWrite, maxPages } = negotiated({ flags });
  assertEquals([maxWrite, maxPages], [131072, 32]);
  assertEquals(negotiated({}).maxPages, 256);
});

Deno.test("negotiate() limits readahead to what is offered", () => {
  assertEquals(negotiated({}).maxReadahead, 131072);
  assertEquals(negotiated({}, { maxReadahead: 4096 }).maxReadahead, 4096);
  assertEquals(negotiated({}, { maxReadahead: 1 << 30 }).maxReadahead, 131072);
});

Deno.test("protocolVersionOf() follows the flags", () => {
  const long = protocolVersionOf(negotiated({}));
  assertEquals(long.size("fuse_setxattr_in"), 16);
  const flags = OFFERED.flags & ~initFlag("SETXATTR_EXT");
  assertEquals(
    protocolVersionOf(negotiated({ flags })).size("fuse_setxattr_in"),
    8,
  );
});

Deno.test("the reply to INIT has the size of the kernel's version", () => {
  const size = (minor: number) => answer({ ...OFFERED, minor }).bytes.length;
  assertEquals(size(45), 80);
  assertEquals(size(23), 80);
  assertEquals(size(22), 16 + 24);
  assertEquals(size(6), 16 + 24);
  assertEquals(size(5), 16);
});

Deno.test("the reply to INIT discloses nothing of the memory", () => {
  const { bytes } = answer(OFFERED);
  assertEquals(bytes.subarray(16 + 42), new Uint8Array(22));
});

Deno.test("INIT is read and answered in full", () => {
  const { read, reply } = answer(OFFERED);
  assertEquals(read, OFFERED);
  const out = reply.body.fuse_init_out!;
  assertEquals([out.major, out.minor], [7, 45]);
  assertEquals(out.max_write, 1 << 20);
  assertEquals(out.max_pages, 256);
  assertEquals(out.max_background, 100);
  assertEquals(out.congestion_threshold, 75);
  assertEquals(out.time_gran, 1);
  assertEquals(out.flags2, 1 << 4);
});

Deno.test("the shorter INIT of kernels before 7.36 and 7.6 is read", () => {
  assertEquals(answer({ ...OFFERED, minor: 35 }).read.flags >> 32n, 0n);
  const { read, reply } = answer({ ...OFFERED, minor: 5 });
  assertEquals(read.flags, 0n);
  assertEquals(read.maxReadahead, 0);
  assertEquals(reply.header.error, -71);
});

Deno.test("a newer major version is answered with 7.45", () => {
  const { reply } = answer({ ...OFFERED, major: 8, minor: 0 });
  const out = reply.body.fuse_init_out!;
  assertEquals([out.major, out.minor, out.flags], [7, 45, 0]);
});
