import { assertEquals } from "@std/assert";
import { findMount, parseMountinfo } from "../../src/linux/mount/mountinfo.ts";

const ROOT = "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw";

Deno.test("parseMountinfo reads a line with and without optional fields", () => {
  const mounts = parseMountinfo(
    `${ROOT}\n42 27 0:39 / /t rw - fuse.mqfuse disk.img rw,user_id=0\n`,
  );
  assertEquals(mounts, [
    {
      id: 27,
      parent: 1,
      major: 254,
      minor: 0,
      mountPoint: "/",
      type: "ext4",
      source: "/dev/vda",
    },
    {
      id: 42,
      parent: 27,
      major: 0,
      minor: 39,
      mountPoint: "/t",
      type: "fuse.mqfuse",
      source: "disk.img",
    },
  ]);
});

Deno.test("parseMountinfo decodes the kernel's octal escapes", () => {
  const [mount] = parseMountinfo(
    "42 27 0:39 / /a\\040b\\011c\\012d\\134e\\043 rw - fuse a\\040disk rw",
  );
  assertEquals(mount?.mountPoint, "/a b\tc\nd\\e#");
  assertEquals(mount?.source, "a disk");
});

Deno.test("parseMountinfo skips malformed lines", () => {
  assertEquals(parseMountinfo("\nnonsense\n1 2 3 4 5 6 7 8 9\n"), []);
});

Deno.test("parseMountinfo accepts a mount point with the name hyphen", () => {
  const [mount] = parseMountinfo("42 27 0:39 / - - - tmpfs none rw");
  assertEquals(mount?.type, "tmpfs");
});

Deno.test("findMount returns the topmost of a stack, in any order of lines", () => {
  const mounts = parseMountinfo(
    `43 42 0:40 / /t rw - fuse upper rw
${ROOT}
42 27 0:39 / /t rw - fuse lower rw`,
  );
  assertEquals(findMount("/t", mounts)?.source, "upper");
});

Deno.test("findMount ignores a mount hidden by one on a parent directory", () => {
  const mounts = parseMountinfo(
    `${ROOT}
42 27 0:39 / /a/t rw - fuse hidden rw
43 27 0:40 / /a rw - tmpfs cover rw`,
  );
  assertEquals(findMount("/a/t", mounts), null);
  assertEquals(findMount("/a", mounts)?.source, "cover");
});

Deno.test("findMount finds mounts at exactly the path", () => {
  const mounts = parseMountinfo(
    `${ROOT}\n42 27 0:39 / /t rw - fuse disk rw`,
  );
  assertEquals(findMount("/t/x", mounts), null);
  assertEquals(findMount("/tt", mounts), null);
  assertEquals(findMount("/", mounts)?.id, 27);
});
