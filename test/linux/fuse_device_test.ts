import { ERRNO } from "../../src/base/errno.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  cloneFuseDevice,
  fuseDeviceFromFd,
  openFuseDevice,
} from "../../src/linux/fuse/fuse_device.ts";
import { findMount } from "../../src/linux/mount/mountinfo.ts";
import { mountState } from "../../src/linux/mount/mount_state.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { kernelTest } from "../requirements.ts";
import {
  answerGetattr,
  answerInit,
  onMountedFile,
  requestBuffer,
  run,
} from "./_fixtures.ts";

const EPERM = -ERRNO.EPERM;
const EAGAIN = -ERRNO.EAGAIN;
const ENODEV = -ERRNO.ENODEV;
const EINVAL = -ERRNO.EINVAL;

kernelTest("an unmounted device refuses reads and writes", () => {
  const device = openFuseDevice();
  try {
    const buffer = requestBuffer();
    assertEquals(device.read(buffer), EPERM);
    assertEquals(device.write(buffer, 16), EPERM);
    const error = assertThrows(() => cloneFuseDevice(device.fd), SystemError);
    assertEquals(error.code, "EPERM");
    assertEquals(
      error.message,
      `Cannot clone descriptor ${device.fd} of /dev/fuse: Operation not permitted (its connection is not mounted)`,
    );
  } finally {
    device.close();
    device.close();
  }
});

kernelTest("only a descriptor of /dev/fuse can be cloned", () => {
  assertEquals(
    assertThrows(() => cloneFuseDevice(0), SystemError).code,
    "EINVAL",
  );
});

kernelTest("a closed descriptor cannot be wrapped", () => {
  const device = openFuseDevice();
  device.close();
  assertEquals(
    assertThrows(() => fuseDeviceFromFd(device.fd), SystemError).code,
    "EBADF",
  );
});

kernelTest("a write longer than its buffer is refused", () => {
  const device = openFuseDevice();
  try {
    assertThrows(() => device.write(new Uint8Array(16), 17), RangeError);
  } finally {
    device.close();
  }
});

kernelTest("a mounted device returns requests or EAGAIN", async () => {
  await onMountedFile(({ device }) => {
    assertEquals(device.read(new Uint8Array(8191)), EINVAL);
    assertEquals(device.poll(), true);
    answerInit(device);
    assertEquals(device.poll(), false);
    device.setBlocking(false);
    assertEquals(device.read(requestBuffer()), EAGAIN);
    const adopted = fuseDeviceFromFd(device.fd);
    assertEquals(adopted.read(requestBuffer()), EAGAIN);
    adopted.setBlocking(true);
  });
});

kernelTest("readable lets timers run, and resolves at a request", async () => {
  await onMountedFile(async ({ path, device }) => {
    answerInit(device);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const client = new Promise((resolve) => setTimeout(resolve, 600))
      .then(() => run("stat", "-c", "%s", path));
    const first = device.readable();
    assert(first === device.readable(), "one wait serves all callers");
    await first;
    clearInterval(timer);
    assert(ticks > 50, `${ticks} ticks`);
    answerGetattr(device, 7n);
    assertEquals((await client).text, "7\n");
  });
});

kernelTest("readable resolves within a second without a request", async () => {
  await onMountedFile(async ({ device }) => {
    answerInit(device);
    const start = performance.now();
    await device.readable();
    assert(performance.now() - start < 2000);
    assertEquals(device.poll(), false);
    assertEquals(device.poll(100), false);
    const ms = performance.now() - start;
    assert(ms >= 1050, `${ms} ms`);
  });
});

kernelTest("a clone reads the same connection's requests", async () => {
  await onMountedFile(async ({ path, device, mount }) => {
    answerInit(device);
    const clone = cloneFuseDevice(device.fd);
    try {
      const client = run("stat", "-c", "%s", path);
      await clone.readable();
      answerGetattr(clone, 99n);
      assertEquals((await client).text, "99\n");
      assertEquals(mount.unmount(), "unmounted");
      assertEquals(clone.read(requestBuffer()), ENODEV);
      await clone.readable();
    } finally {
      clone.close();
    }
  });
});

kernelTest(
  "closing during readable ends the wait and the connection",
  async () => {
    await onMountedFile(async ({ path, device }) => {
      answerInit(device);
      const waiting = device.readable();
      await new Promise((resolve) => setTimeout(resolve, 50));
      device.close();
      await waiting;
      const found = findMount(path);
      assert(found !== null);
      assertEquals(mountState(found), "dead");
    });
  },
);

kernelTest(
  "another thread wraps a descriptor, and has its own errno",
  async () => {
    await onMountedFile(async ({ device }) => {
      answerInit(device);
      device.setBlocking(false);
      const module = new URL(
        "../../src/linux/fuse/fuse_device.ts",
        import.meta.url,
      );
      const code = `import { fuseDeviceFromFd } from "${module.href}";
      self.onmessage = ({ data }) => {
        const device = fuseDeviceFromFd(data);
        const small = device.read(new Uint8Array(100));
        self.postMessage([small, device.read(new Uint8Array(1 << 20))]);
      };`;
      const url = URL.createObjectURL(
        new Blob([code], { type: "application/javascript" }),
      );
      const worker = new Worker(url, { type: "module" });
      try {
        const answer = new Promise((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = reject;
        });
        worker.postMessage(device.fd);
        assertEquals(await answer, [EINVAL, EAGAIN]);
      } finally {
        worker.terminate();
        URL.revokeObjectURL(url);
      }
    });
  },
);
