import { assertEquals } from "@std/assert";
import { cString } from "../../src/linux/syscall/ffi_values.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { connectionState } from "../../src/linux/mount/connection.ts";
import { kernelTest } from "../requirements.ts";
import { answerInit, onMountedFile } from "./_fixtures.ts";

const MNT_DETACH = 2;

kernelTest(
  "aborting an unmounted mount does not affect a mount with the same numbers",
  async () => {
    await onMountedFile(async ({ device, mount: gone }) => {
      answerInit(device);
      assertEquals(gone.unmount(), "unmounted");
      await onMountedFile(({ device, mount }) => {
        answerInit(device);
        // Another program may have taken the number in between.
        if (mount.connection !== gone.connection) return;
        assertEquals(gone.unmount(), "gone");
        assertEquals(gone.abort(), false);
        assertEquals(connectionState(mount.connection), "live");
      });
    });
  },
);

kernelTest(
  "aborting a mount that was unmounted unused does not affect an unlisted mount with its number",
  async () => {
    await onMountedFile(async ({ device, mount: gone }) => {
      answerInit(device);
      assertEquals(await gone.unmountUnused(), "unmounted");
      await onMountedFile(({ device, mount, path }) => {
        answerInit(device);
        // Another program may have taken the number in between.
        if (mount.connection !== gone.connection) return;
        // An open descriptor keeps the mount alive when it is detached.
        const held = openDescriptor(path, OPEN.PATH | OPEN.NOFOLLOW);
        try {
          assertEquals(libc().umount2(cString(path), MNT_DETACH), 0);
          assertEquals(gone.abort(), false);
          assertEquals(connectionState(mount.connection), "live");
        } finally {
          closeDescriptor(held);
        }
      });
    });
  },
);

kernelTest(
  "a mount is aborted after it was detached while in use",
  async () => {
    await onMountedFile(({ device, mount, path }) => {
      answerInit(device);
      const held = openDescriptor(path, OPEN.PATH | OPEN.NOFOLLOW);
      try {
        assertEquals(libc().umount2(cString(path), MNT_DETACH), 0);
        assertEquals(mount.abort(), true);
        assertEquals(connectionState(mount.connection), "dead");
      } finally {
        closeDescriptor(held);
      }
    });
  },
);
