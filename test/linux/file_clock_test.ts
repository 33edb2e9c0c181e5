import { assert } from "@std/assert";
import { fileTime } from "../../src/linux/syscall/file_clock.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { LinuxBlockFile } from "../../src/linux/io/block_file.ts";
import { missingPermission, testIf } from "../requirements.ts";

const missing = missingPermission("ffi", "read", "write");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();
const TIMES = 2000;

testIf(missing, "fileTime() is in order with the times of files", async () => {
  const path = await Deno.makeTempFile();
  const file = new LinuxBlockFile(openDescriptor(path, OPEN.RDWR));
  try {
    const touched = () => {
      file.futimens("now", "now");
      const stat = file.fstat();
      assert(typeof stat !== "number");
      return stat.mtime;
    };
    let last = 0n;
    for (let i = 0; i < TIMES; i++) {
      for (const now of [touched(), fileTime()]) {
        assert(now >= last, `${now} came after ${last}`);
        last = now;
      }
    }
  } finally {
    closeDescriptor(file.fd);
    await Deno.remove(path);
  }
});

testIf(missing, "fileTime() works without a free descriptor", () => {
  const second = 1_000_000_000n;
  const before = BigInt(Date.now()) * 1_000_000n - second;
  const fds: number[] = [];
  try {
    for (;;) fds.push(openDescriptor("/dev/null", OPEN.RDONLY));
  } catch {
    assert(fileTime() > before);
  } finally {
    fds.forEach(closeDescriptor);
  }
});
