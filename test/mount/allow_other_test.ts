import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  checklist,
  ExportProcess,
  imageIn,
  MIB,
  modeOf,
  mountTest,
  must,
  run,
} from "./_harness.ts";

const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/** Runs a program as a user without permissions. */
async function asNobody(...line: string[]) {
  const [program, ...args] = [...NOBODY, ...line];
  return await run(program!, ...args);
}

mountTest(
  checklist(19, "allow-other off denies other users access"),
  async (directory) => {
    await must("chmod", "a+rx", directory);
    const { image, mountpoint } = await imageIn(directory, MIB);
    const args = ["-w", "--allow-other=off", image, mountpoint];
    await using process = await ExportProcess.start(args);
    await must("chmod", "000", mountpoint);
    assertEquals(await modeOf(mountpoint), "0");
    await must("chmod", "u+r", mountpoint);
    assertEquals(await modeOf(mountpoint), "400");
    const { code, stderr } = await run("chmod", "444", mountpoint);
    assertEquals(code, 1);
    assertMatch(stderr, /Operation not permitted/);
    assertEquals(await modeOf(mountpoint), "400");
    for (const program of ["cat", "stat"]) {
      const { code, stderr } = await asNobody(program, mountpoint);
      assertEquals(code, 1);
      assertMatch(stderr, /Permission denied/);
    }
    assertEquals((await process.stop()).code, 0);
  },
  ["setpriv"],
);

for (const how of ["on", "auto"]) {
  mountTest(
    checklist(19, `allow-other ${how} gives other users access by mode`),
    async (directory) => {
      await must("chmod", "a+rx", directory);
      const { image, mountpoint } = await imageIn(directory, MIB);
      const args = ["-w", `--allow-other=${how}`, image, mountpoint];
      await using process = await ExportProcess.start(args);
      assert((await asNobody("cat", mountpoint)).code !== 0);
      await must("chmod", "444", mountpoint);
      assertEquals(await modeOf(mountpoint), "444");
      const line = ["sh", "-c", 'cmp "$1" "$2"', "sh", mountpoint, image];
      await must("chmod", "a+r", image);
      const { code, stderr } = await asNobody(...line);
      assertEquals(code, 0, stderr);
      await must("chmod", "o-r", mountpoint);
      const denied = await asNobody("cat", mountpoint);
      assertMatch(denied.stderr, /Permission denied/);
      const shown = await asNobody("stat", "-c", "%a", mountpoint);
      assertEquals(shown.stdout, "440\n");
      await must("chown", "65534", mountpoint);
      assertEquals((await asNobody("cat", mountpoint)).code, 0);
      assertEquals((await process.stop()).code, 0);
    },
    ["setpriv", "cmp"],
  );
}
