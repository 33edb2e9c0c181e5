import { assert } from "@std/assert";
import { libc } from "../../src/linux/syscall/libc.ts";
import { openSsl } from "../../src/linux/tls/openssl.ts";
import { inTemporaryDirectory } from "../linux/_fixtures.ts";
import { withSeeds } from "../_random.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";
import { HttpFuzzer } from "./_http_fuzz.ts";
import { HttpsFuzzer } from "./_https_fuzz.ts";

Deno.test("damaged HTTP answers do no harm", () =>
  withSeeds([1], async (random) => {
    const fuzzer = new HttpFuzzer();
    const { now } = performance;
    try {
      for (let i = 0; i < 150; i++) await fuzzer.next(random);
    } finally {
      performance.now = now;
    }
    assert(fuzzer.opened > 60, `${fuzzer.opened} were opened`);
    assert(fuzzer.right > 60, `${fuzzer.right} reads were right`);
  }));

const missing = missingPermission("ffi", "read", "write", "run", "env") ||
  missingPermission("net") || missingProgram("openssl");
// Opened before the first test, so that they do not count as leaks.
if (missing === "") void [libc(), openSsl("the test")];

testIf(
  missing,
  "damaged TLS does no harm",
  () =>
    inTemporaryDirectory((directory) =>
      withSeeds([1], async (random) => {
        await using fuzzer = await HttpsFuzzer.start(directory);
        // Not more at once, because a handshake must not take long.
        const lanes = Array.from({ length: 6 }, () => random.fork());
        await Promise.all(lanes.map(async (lane) => {
          for (let i = 0; i < 6; i++) await fuzzer.next(lane);
        }));
        assert(fuzzer.opened > 10, `${fuzzer.opened} were opened`);
        assert(fuzzer.right > 10, `${fuzzer.right} reads were right`);
      })
    ),
);
