/**
 * Mounts as the user who runs it, and prints a line of JSON about the mount.
 * Arguments: the mount options as JSON, and what to do afterwards.
 *
 * @module
 */

import { mountConnection } from "../../src/linux/mount/mount_connection.ts";
import { cloneFuseDevice } from "../../src/linux/fuse/fuse_device.ts";
import { OPEN, openDescriptor } from "../../src/linux/syscall/descriptor.ts";
import { readText } from "../../src/linux/syscall/text_file.ts";
import { findMount } from "../../src/linux/mount/mountinfo.ts";
import { mountState } from "../../src/linux/mount/mount_state.ts";
import { absolutePath } from "../../src/linux/syscall/paths.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { unmountForUser } from "../../src/linux/mount/mount_by_fusermount.ts";
import { answerInit } from "./_fixtures.ts";

const [wanted = "{}", then = "unmount"] = Deno.args;

function tell(facts: Record<string, unknown>): void {
  // The test's protocol.
  // deno-lint-ignore no-console
  console.log(JSON.stringify(facts));
}

function mount(): void {
  const options = {
    mountpoint: "disk.img",
    source: "/a, b\\c",
    rootMode: 0o100000,
    readOnly: false,
    allowOther: "off" as const,
    maxRead: 1 << 20,
    ...JSON.parse(wanted),
  };
  const under = openDescriptor(options.mountpoint, OPEN.RDONLY);
  const { device, mount, ...how } = mountConnection(options);
  answerInit(device);
  const clone = cloneFuseDevice(device.fd);
  const lines = readText("/proc/self/mountinfo").split("\n");
  const found = findMount(mount.path);
  tell({
    ...how,
    line: lines.find((line) => line.startsWith(`${mount.id} `)),
    state: found === null ? "none" : mountState(found),
    connection: mount.connection === found?.minor,
    under: readText(`/proc/self/fd/${under}`),
    pid: Deno.pid,
  });
  if (then === "wait") {
    setTimeout(() => Deno.exit(1), 15_000);
    return;
  }
  clone.close();
  if (then === "abort") {
    tell({ aborted: mount.abort() });
  }
  const first = mount.unmount();
  tell({ first, second: mount.unmount() });
  device.close();
  Deno.exit();
}

function clear(): void {
  const there = findMount(absolutePath(wanted));
  if (there === null) return tell({ state: "none" });
  const state = mountState(there);
  tell({ state, result: unmountForUser(there) });
}

try {
  if (then === "clear") clear();
  else mount();
} catch (error) {
  if (!(error instanceof SystemError)) throw error;
  tell({ code: error.code, message: error.message });
}
