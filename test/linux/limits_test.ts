/** Resource limits, threads, and cgroups of this process. */
import { assert, assertEquals } from "@std/assert";
import { startIdleThreads } from "../../src/linux/syscall/idle_threads.ts";
import { isCaughtSignal } from "../../src/linux/syscall/process.ts";
import {
  openDescriptors,
  raiseLimit,
  resourceLimit,
} from "../../src/linux/syscall/resource_limits.ts";
import { fullCgroup, threadsMax } from "../../src/linux/syscall/task_limits.ts";
import { kernelTest } from "../requirements.ts";

function threads(): number {
  return [...Deno.readDirSync("/proc/self/task")].length;
}

kernelTest("idle threads are started and ended", () => {
  const before = threads();
  {
    using idle = startIdleThreads(20);
    assertEquals(idle?.count, 20);
    assert(threads() >= before + 20);
  }
  assert(threads() < before + 20);
});

kernelTest("limits are those of /proc, and are not lowered", () => {
  const { soft, hard } = resourceLimit("NOFILE");
  const text = Deno.readTextFileSync("/proc/self/limits");
  const [, first, second] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(text)!;
  assertEquals([soft, hard], [Number(first), Number(second)]);
  assertEquals(raiseLimit("NOFILE", 1), soft);
  assertEquals(resourceLimit("AS").soft, Infinity);
  assertEquals(raiseLimit("AS", 2 ** 50), Infinity);
});

kernelTest("open descriptors are counted", () => {
  const before = openDescriptors();
  using _ = Deno.openSync("/dev/null");
  assertEquals(openDescriptors(), before + 1);
});

kernelTest("a system that has room has no full cgroup", () => {
  assertEquals(fullCgroup(), null);
  assert(threadsMax().max > 100);
});

kernelTest("a signal that a program handles is known", () => {
  const SIGUSR2 = 12;
  const listener = () => {};
  assertEquals(isCaughtSignal(SIGUSR2), false);
  Deno.addSignalListener("SIGUSR2", listener);
  assertEquals(isCaughtSignal(SIGUSR2), true);
  Deno.removeSignalListener("SIGUSR2", listener);
});
