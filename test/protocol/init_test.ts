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

const WISH: WantedCapabilities = {
  flags: ["ASYNC_READ", "MAX_PAGES", "DIRECT_IO_ALLOW_MMAP", "SETXATTR_EXT"],
  maxWrite: 1 << 20,
  maxBackground: 100,
  congestionThreshold: 75,
};

/** What Linux 6.18 offers. */
const OFFER: OfferedCapabilities = {
  major: 7,
  minor: 45,
  maxReadahead: 131072,
  flags: 0x7fdn << 32n | 0x73ff_fffbn,
};

function agree(
  offered: Partial<OfferedCapabilities>,
  wanted: Partial<WantedCapabilities> = {},
) {
  const outcome = negotiate({ ...OFFER, ...offered }, { ...WISH, ...wanted });
  if (typeof outcome === "string") throw new Error(outcome);
  return outcome;
}

/** Answers an INIT as a server does. */
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
  replyInit(exchange.reply, negotiate(read, WISH));
  const bytes = exchange.reply.copy();
  return { read, reply: decodeReply("INIT", bytes), bytes };
}

Deno.test("negotiate() takes the lower minor version", () => {
  assertEquals(agree({ minor: 31 }).minor, 31);
  assertEquals(agree({ minor: 99 }).minor, 45);
});

Deno.test("negotiate() asks a newer kernel to speak 7, refuses an old one", () => {
  assertEquals(negotiate({ ...OFFER, major: 8 }, WISH), "retry");
  assertEquals(negotiate({ ...OFFER, major: 6 }, WISH), "refuse");
  assertEquals(negotiate({ ...OFFER, minor: 5 }, WISH), "refuse");
});

Deno.test("negotiate() agrees on flags that both sides name", () => {
  const negotiated = agree({});
  assertEquals(initFlagNames(negotiated.flags), [
    "ASYNC_READ",
    "MAX_PAGES",
    "SETXATTR_EXT",
    "INIT_EXT",
    "DIRECT_IO_ALLOW_MMAP",
  ]);
  assertEquals(isNegotiated(negotiated, "DIRECT_IO_ALLOW_MMAP"), true);
  assertEquals(isNegotiated(negotiated, "POSIX_ACL"), false);
});

Deno.test("negotiate() drops the second word without INIT_EXT", () => {
  const flags = OFFER.flags & ~initFlag("INIT_EXT");
  assertEquals(agree({ flags }).flags >> 32n, 0n);
});

Deno.test("negotiate() caps a WRITE at 32 pages without MAX_PAGES", () => {
  const flags = OFFER.flags & ~initFlag("MAX_PAGES");
  const { maxWrite, maxPages } = agree({ flags });
  assertEquals([maxWrite, maxPages], [131072, 32]);
  assertEquals(agree({}).maxPages, 256);
});

Deno.test("negotiate() reads ahead no further than offered", () => {
  assertEquals(agree({}).maxReadahead, 131072);
  assertEquals(agree({}, { maxReadahead: 4096 }).maxReadahead, 4096);
  assertEquals(agree({}, { maxReadahead: 1 << 30 }).maxReadahead, 131072);
});

Deno.test("dialectOf() knows the forms that flags choose", () => {
  const long = protocolVersionOf(agree({}));
  assertEquals(long.size("fuse_setxattr_in"), 16);
  const flags = OFFER.flags & ~initFlag("SETXATTR_EXT");
  assertEquals(protocolVersionOf(agree({ flags })).size("fuse_setxattr_in"), 8);
});

Deno.test("the reply to INIT has the size of the kernel's version", () => {
  const size = (minor: number) => answer({ ...OFFER, minor }).bytes.length;
  assertEquals(size(45), 80);
  assertEquals(size(23), 80);
  assertEquals(size(22), 16 + 24);
  assertEquals(size(6), 16 + 24);
  assertEquals(size(5), 16);
});

Deno.test("the reply to INIT leaves nothing of what lay in memory", () => {
  const { bytes } = answer(OFFER);
  assertEquals(bytes.subarray(16 + 42), new Uint8Array(22));
});

Deno.test("INIT is read and answered in full", () => {
  const { read, reply } = answer(OFFER);
  assertEquals(read, OFFER);
  const out = reply.body.fuse_init_out!;
  assertEquals([out.major, out.minor], [7, 45]);
  assertEquals(out.max_write, 1 << 20);
  assertEquals(out.max_pages, 256);
  assertEquals(out.max_background, 100);
  assertEquals(out.congestion_threshold, 75);
  assertEquals(out.time_gran, 1);
  assertEquals(out.flags2, 1 << 4);
});

Deno.test("INIT of kernels before 7.36 and 7.6 is read as far as it goes", () => {
  assertEquals(answer({ ...OFFER, minor: 35 }).read.flags >> 32n, 0n);
  const { read, reply } = answer({ ...OFFER, minor: 5 });
  assertEquals(read.flags, 0n);
  assertEquals(read.maxReadahead, 0);
  assertEquals(reply.header.error, -71);
});

Deno.test("a newer major version is asked to come again with 7.45", () => {
  const { reply } = answer({ ...OFFER, major: 8, minor: 0 });
  const out = reply.body.fuse_init_out!;
  assertEquals([out.major, out.minor, out.flags], [7, 45, 0]);
});
