import { assertEquals } from "@std/assert";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { readText } from "../../src/linux/syscall/text_file.ts";
import {
  cloneFuseDevice,
  openFuseDevice,
} from "../../src/linux/fuse/fuse_device.ts";
import { lockImage } from "../../src/linux/io/image_lock.ts";
import { mountBySyscall } from "../../src/linux/mount/mount_by_syscall.ts";
import { findMount } from "../../src/linux/mount/mountinfo.ts";
import { kernelTest } from "../requirements.ts";
import {
  answerGetattr,
  answerInit,
  fileMount,
  guard,
  inTemporaryDirectory,
  run,
} from "./_fixtures.ts";

kernelTest(
  "an image that is mounted over itself stays accessible",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/disk.img`;
      await Deno.writeTextFile(path, "the image");
      const endGuard = await guard(path);
      const image = openDescriptor(path, OPEN.RDWR);
      const device = openFuseDevice();
      try {
        assertEquals(lockImage(image, { name: path, writable: true }), true);
        const mount = mountBySyscall(fileMount(device.fd, path));
        try {
          answerInit(device);
          const clone = cloneFuseDevice(device.fd);
          assertEquals(findMount(path)?.id, mount.id);
          // By the descriptor, below the mount, without any server.
          assertEquals(readText(`/proc/self/fd/${image}`), "the image");
          const client = run("stat", "-c", "%s", path);
          await clone.readable();
          answerGetattr(clone, 12345n);
          assertEquals(await client, { code: 0, text: "12345\n" });
          clone.close();
        } finally {
          mount.unmount();
        }
        assertEquals(await Deno.readTextFile(path), "the image");
      } finally {
        device.close();
        closeDescriptor(image);
        await endGuard();
      }
    });
  },
);
