import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { endOfError, ReadErrors } from "../../src/queue/read_errors.ts";

Deno.test("a read(2) that was interrupted, or whose request was withdrawn, is repeated", () => {
  const errors = new ReadErrors();
  assertEquals(errors.isRepeated(ERRNO.EINTR), true);
  assertEquals(errors.isRepeated(ERRNO.ENOENT), true);
  assertEquals(errors.isRepeated(ERRNO.EAGAIN), false);
  assertEquals(errors.isRepeated(ERRNO.ENODEV), false);
});

Deno.test("requests are lost a limited number of times before that is an abort", () => {
  const errors = new ReadErrors();
  let times = 0;
  while (errors.isRepeated(ERRNO.ECONNABORTED)) times++;
  assertEquals(times, 1000);
  assertEquals(endOfError(ERRNO.ECONNABORTED)?.reason, "aborted");
});

Deno.test("an error of read(2) ends a queue, but not that there is no request", () => {
  assertEquals(endOfError(ERRNO.EAGAIN), null);
  assertEquals(endOfError(ERRNO.ENODEV)?.reason, "unmounted");
  assertEquals(endOfError(ERRNO.ENOMEM), {
    reason: "failed",
    message: "Cannot read /dev/fuse: ENOMEM",
  });
});
