import { assert, assertEquals, assertMatch } from "@std/assert";
import { imageIn, isMounted, item, MIB, qemuIo, run } from "./_checklist.ts";
import { startModule } from "./_faulty_process.ts";

item(20, "an image that fails gives EIO, no more", async (directory) => {
  const { mountpoint } = await imageIn(directory, MIB);
  await using process = await startModule("failing", mountpoint, 4);
  const said = await qemuIo(mountpoint, "write 0 8M");
  assertMatch(said, /write failed: Input\/output error/);
  const read = await run("dd", `if=${mountpoint}`, "of=/dev/null", "count=1");
  assertMatch(read.stderr, /error reading .*: Input\/output error/);
  assert(isMounted(mountpoint));
  assertEquals((await process.stop()).code, 0);
  const errors = process.totals.reduce((sum, { errors }) => sum + errors, 0);
  assert(errors >= 2);
}, ["qemu-io"]);
