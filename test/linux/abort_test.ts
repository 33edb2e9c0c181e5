import { assertEquals } from "@std/assert";
import { connectionState } from "../../src/linux/mount/connection.ts";
import { kernelTest } from "../requirements.ts";
import { answerInit, onMountedFile } from "./_fixtures.ts";

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
