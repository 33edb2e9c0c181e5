import { assert, assertEquals, assertThrows } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { ResidentMessages } from "../../src/linux/fuse/message_memory.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { mapResident } from "../../src/linux/syscall/memory.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { missingPermission, missingRoot, testIf } from "../requirements.ts";

const MIB = 1 << 20;
/** More than an address space has. */
const TOO_LARGE = 2 ** 47;

const missing = missingPermission("ffi", "read");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

/** A size of this process in bytes, from /proc/self/status. */
function ownSize(name: "VmLck" | "RssAnon"): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  const line = status.split("\n").find((each) => each.startsWith(`${name}:`));
  return 1024 * Number(/\d+/.exec(line!)![0]);
}

testIf(missing || missingRoot(), "mapResident() allocates and locks", () => {
  const locked = ownSize("VmLck");
  const resident = ownSize("RssAnon");
  const mapping = mapResident(64 * MIB);
  assert(mapping.locked);
  assertEquals(ownSize("VmLck") - locked, 64 * MIB);
  // V8 may take or give back some memory meanwhile.
  assert(ownSize("RssAnon") - resident > 48 * MIB);
  assertEquals(mapping.address % 4096, 0);
  mapping.unmap();
  mapping.unmap();
  assertEquals(ownSize("VmLck"), locked);
});

testIf(missing, "mapResident() says that there is not as much memory", () => {
  const error = assertThrows(() => mapResident(TOO_LARGE), SystemError);
  assertEquals(error.errno, ERRNO.ENOMEM);
});

testIf(missing, "ResidentMessages counts the memory that it provides", () => {
  const messages = new ResidentMessages();
  const memory = messages.allocate(MIB)!;
  assertEquals(memory.bytes.length, MIB);
  assert(memory.bytes.every((byte) => byte === 0));
  assertEquals(messages.total.size, MIB);
  assertEquals(messages.allocate(TOO_LARGE), null);
  assertEquals(messages.total.size, MIB);
  memory.release();
});
