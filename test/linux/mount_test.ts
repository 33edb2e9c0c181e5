import { S_IF } from "../../src/base/file_flags.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { connectionState } from "../../src/linux/mount/connection.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import { readText } from "../../src/linux/syscall/text_file.ts";
import { openFuseDevice } from "../../src/linux/fuse/fuse_device.ts";
import { mountBySyscall } from "../../src/linux/mount/mount_by_syscall.ts";
import { findMount } from "../../src/linux/mount/mountinfo.ts";
import {
  newMountOn,
  ownMountsByPath,
} from "../../src/linux/mount/mount_point.ts";
import { isOwnStale, mountState } from "../../src/linux/mount/mount_state.ts";
import { pathKind } from "../../src/linux/syscall/paths.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { startUnmountHelper } from "../../src/linux/mount/unmount_helper.ts";
import { mountIdOf } from "../../src/linux/mount/fuse_mount.ts";
import { kernelTest } from "../requirements.ts";
import {
  answerGetattr,
  answerInit,
  answerUntilUnmounted,
  fileMount,
  guard,
  inTemporaryDirectory,
  onMountedFile,
  requestBuffer,
  run,
} from "./_fixtures.ts";

const ENODEV = -ERRNO.ENODEV;

function lineOf(id: number): string {
  const lines = readText("/proc/self/mountinfo").split("\n");
  return lines.find((line) => line.startsWith(`${id} `)) ?? "";
}

function refusal(mountpoint: string, rootMode: number): SystemError {
  const device = openFuseDevice();
  try {
    return assertThrows(
      () => mountBySyscall({ ...fileMount(device.fd, mountpoint), rootMode }),
      SystemError,
    );
  } finally {
    device.close();
  }
}

kernelTest(
  "mountinfo shows a mounted file with its options",
  async () => {
    await onMountedFile(({ path, mount }) => {
      const found = findMount(path);
      assertEquals(found?.id, mount.id);
      assertEquals(found?.minor, mount.connection);
      assertEquals(found?.type, "fuse.mqfuse");
      assertEquals(found?.source, "a disk.img");
      assertEquals(mount.path, path);
      const line = lineOf(mount.id);
      assert(line.includes(" rw,nosuid,nodev,noatime "), line);
      assert(line.includes("user_id=0,group_id=0,default_permissions"), line);
      assert(line.includes("max_read=1048576"), line);
    });
  },
);

kernelTest("a client reaches the server through the mount", async () => {
  await onMountedFile(async ({ path, device }) => {
    answerInit(device);
    const client = run("stat", "-c", "%s", path);
    await device.readable();
    answerGetattr(device, 12345n);
    assertEquals(await client, { code: 0, text: "12345\n" });
  });
});

kernelTest("querying a mount never involves its server", async () => {
  await onMountedFile(({ path, device }) => {
    // INIT is not answered, so any access to the mount would wait forever.
    assertEquals(pathKind(path), "file");
    const found = findMount(path);
    assert(found !== null);
    assertEquals(mountState(found), "live");
    assertEquals(isOwnStale(found), false);
    answerInit(device);
    assertEquals(pathKind(path), "file");
    assertEquals(mountState(found), "live");
    device.setBlocking(false);
    assertEquals(device.poll(), false);
  });
});

kernelTest("a mount whose server hangs is live, without waiting", async () => {
  await onMountedFile(async ({ path, device, mount }) => {
    answerInit(device);
    const client = run("stat", "-c", "%s", path);
    await device.readable();
    const found = findMount(path);
    assert(found !== null);
    assertEquals(mountState(found), "live");
    assertEquals(refusal(path, S_IF.REG).code, "EEXIST");
    assertEquals(mount.unmount(), "unmounted");
    assertEquals((await client).code, 1);
  });
});

kernelTest("closing the last descriptor leaves a stale mount", async () => {
  await onMountedFile(async ({ path, device, mount }) => {
    answerInit(device);
    device.close();
    const found = findMount(path);
    assert(found !== null);
    assertEquals(mountState(found), "dead");
    assertEquals(isOwnStale(found), true);
    assert((await run("stat", path)).text.includes("not connected"));
    const error = refusal(path, S_IF.REG);
    assertEquals(error.code, "EEXIST");
    assertEquals(
      error.message,
      `Cannot mount on ${path}: a stale mount, whose server has died, is there (remove it with 'umount ${path}')`,
    );
    assertEquals(mount.unmount(), "unmounted");
    assertEquals(findMount(path), null);
    assertEquals(connectionState(mount.connection), "unknown");
  });
});

kernelTest("a live export is not mounted over", async () => {
  await onMountedFile(({ path, device }) => {
    answerInit(device);
    const error = refusal(path, S_IF.REG);
    assertEquals(error.code, "EEXIST");
    assertEquals(
      error.message,
      `Cannot mount on ${path}: something is already mounted there by mqfuse (end that mount first, or choose another mount point)`,
    );
  });
});

kernelTest("abort() ends the connection and leaves the mount", async () => {
  await onMountedFile(async ({ path, device, mount }) => {
    answerInit(device);
    const client = run("stat", path);
    await device.readable();
    assertEquals(mount.abort(), true);
    assertEquals((await client).code, 1);
    const found = findMount(path);
    assert(found !== null && isOwnStale(found));
    assertEquals(mount.unmount(), "unmounted");
    assertEquals(mount.abort(), false);
  });
});

kernelTest(
  "unmount() wakes up a client with a pending request, and can be repeated",
  async () => {
    await onMountedFile(async ({ path, device, mount }) => {
      answerInit(device);
      const client = run("stat", path);
      await device.readable();
      assertEquals(mount.unmount(), "unmounted");
      assertEquals(mount.unmount(), "gone");
      assertEquals((await client).code, 1);
      assertEquals(await Deno.readTextFile(path), "underneath");
      assertEquals(device.read(requestBuffer()), ENODEV);
    });
  },
);

kernelTest(
  "unmount() does not touch a later mount at the same path",
  async () => {
    await onMountedFile(async ({ path, device, mount }) => {
      answerInit(device);
      const other = `${path} 2`;
      await Deno.writeTextFile(other, "the other's");
      assertEquals((await run("mount", "--bind", other, path)).code, 0);
      try {
        assertEquals(mount.unmount(), "covered");
        assertEquals(await Deno.readTextFile(path), "the other's");
      } finally {
        assertEquals((await run("umount", path)).code, 0);
      }
      assertEquals(mount.unmount(), "unmounted");
    });
  },
);

for (const by of ["this process", "a helper process"]) {
  kernelTest(
    `unmount() by ${by} does nothing if another program has unmounted`,
    async () => {
      await using scope = new AsyncDisposableStack();
      await onMountedFile(async ({ path, device, mount }) => {
        answerInit(device);
        if (by === "a helper process") {
          const helper = startUnmountHelper({
            mount: { id: mount.id, minor: mount.connection, mountPoint: path },
            files: [],
            insecurePath: true,
            advice: "do without it",
          });
          scope.defer(() => helper.end());
          mount.handOver(helper);
        }
        // No descriptor keeps the mount busy: an ordinary unmount succeeds.
        const answering = answerUntilUnmounted(device);
        assertEquals((await run("umount", path)).code, 0);
        await answering;
        const next = openFuseDevice();
        try {
          const second = mountBySyscall(fileMount(next.fd, path));
          // The kernel may give it the numbers of the first one.
          assertEquals(mount.unmount(), "gone");
          assertEquals(await mount.unmountUnused(), "gone");
          assertEquals(second.unmount(), "unmounted");
        } finally {
          next.close();
        }
      });
    },
  );
}

kernelTest("unmount() finds a mount whose directory was renamed", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/old`);
    await Deno.writeTextFile(`${directory}/old/disk`, "");
    const endGuard = await guard(`${directory}/new/disk`);
    const device = openFuseDevice();
    try {
      const mount = mountBySyscall(
        fileMount(device.fd, `${directory}/old/disk`),
      );
      await Deno.rename(`${directory}/old`, `${directory}/new`);
      assertEquals(mount.unmount(), "unmounted");
    } finally {
      device.close();
      await endGuard();
    }
  });
});

kernelTest(
  "a directory is mounted with a directory's root mode",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const endGuard = await guard(`${directory}/d`);
      await Deno.mkdir(`${directory}/d`);
      const device = openFuseDevice();
      try {
        const mount = mountBySyscall({
          ...fileMount(device.fd, `${directory}/d/`),
          rootMode: 0o040755,
          readOnly: true,
          allowOther: true,
        });
        assertEquals(mount.path, `${directory}/d`);
        const line = lineOf(mount.id);
        assert(line.includes(" ro,nosuid,nodev,noatime "), line);
        assert(line.includes("allow_other"), line);
        assertEquals(mount.unmount(), "unmounted");
      } finally {
        device.close();
        await endGuard();
      }
    });
  },
);

kernelTest(
  "a new mount is found although it has the id of one that has just gone",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const paths = [`${directory}/gone`, `${directory}/new`] as const;
      for (const path of paths) await Deno.writeTextFile(path, "");
      // Another test may take the id meanwhile.
      let isReused = false;
      for (let i = 0; i < 50 && !isReused; i++) {
        const fd = openDescriptor(paths[1], OPEN.PATH);
        const [gone, device] = [openFuseDevice(), openFuseDevice()];
        const first = mountBySyscall(fileMount(gone.fd, paths[0]));
        const before = ownMountsByPath();
        first.unmount();
        const mount = mountBySyscall(fileMount(device.fd, paths[1]));
        const found = newMountOn({ fd, path: paths[1] }, before, device.fd);
        mount.unmount();
        closeDescriptor(fd);
        for (const each of [gone, device]) each.close();
        assertEquals(found?.id, mount.id);
        isReused = mount.id === first.id;
      }
    });
  },
);

kernelTest("mount points of the wrong kind are refused", async () => {
  await inTemporaryDirectory(async (directory) => {
    const file = `${directory}/file`;
    const link = `${directory}/link`;
    const pipe = `${directory}/pipe`;
    await Deno.writeTextFile(file, "");
    await Deno.symlink(file, link);
    await run("mkfifo", pipe);
    const cases: [string, number, string, string][] = [
      [directory, S_IF.REG, "EISDIR", "it is a directory"],
      [link, S_IF.REG, "ELOOP", "it is a symbolic link"],
      [pipe, S_IF.REG, "EINVAL", "it is a named pipe"],
      [file, S_IF.DIR, "ENOTDIR", "it is a regular file"],
      [link, S_IF.DIR, "ELOOP", "it is a symbolic link"],
    ];
    for (const [path, mode, code, reason] of cases) {
      const error = refusal(path, mode);
      const wanted = mode === S_IF.DIR ? "a directory" : "a regular file";
      assertEquals(error.code, code);
      assertEquals(
        error.message,
        `Cannot mount on ${path}: ${reason} (give ${wanted})`,
      );
    }
    const missing = refusal(`${directory}/none`, S_IF.REG);
    assertEquals(
      missing.message,
      `Cannot open the mount point ${directory}/none: No such file or directory (create it with 'touch ${directory}/none')`,
    );
  });
});

kernelTest("a descriptor that is not /dev/fuse is refused", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    const error = assertThrows(
      () => mountBySyscall(fileMount(0, `${directory}/file`)),
      SystemError,
      "Invalid argument",
    );
    assertEquals(error.call, "mount");
  });
});

kernelTest("mountIdOf() returns the mount of a descriptor", () => {
  const fd = openDescriptor("/proc", OPEN.PATH);
  try {
    assertEquals(mountIdOf(fd), findMount("/proc")?.id);
  } finally {
    closeDescriptor(fd);
  }
});
