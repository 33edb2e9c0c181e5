import { assertEquals, assertMatch } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  run,
  runMain,
} from "./_harness.ts";

const NOBODY = 65534;
const OTHER = 4321;

/** Runs a program as a user, without supplementary groups. */
async function as(uid: number, gid: number, ...line: string[]) {
  const { code, stderr } = await run(
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    ...line,
  );
  return code === 0 ? "done" : stderr;
}

async function ownerOf(path: string): Promise<string> {
  return await must("stat", "-c", "%u:%g %a", path);
}

mountTest(
  "--uid, --gid and --mode say who may use the file",
  async (directory) => {
    await Deno.chmod(directory, 0o755);
    const { image, mountpoint } = await imageIn(directory, MIB);
    const write = [
      "dd",
      "if=/dev/zero",
      `of=${mountpoint}`,
      "bs=4k",
      "count=1",
      "conv=notrunc",
    ];
    const owned = ["--uid=nobody", `--gid=${OTHER}`, "--mode=0640"];
    await using process = await ExportProcess.start([
      "-w",
      ...owned,
      image,
      mountpoint,
    ]);
    assertEquals(await ownerOf(mountpoint), `${NOBODY}:${OTHER} 640`);
    assertEquals(await as(NOBODY, NOBODY, ...write), "done");
    assertEquals(await as(OTHER, OTHER, "cat", mountpoint), "done");
    assertMatch(await as(OTHER, OTHER, ...write), /Permission denied/);
    assertMatch(await as(OTHER, NOBODY, "cat", mountpoint), /Permission den/);
    // The owner may change the mode, and root the owner.
    assertEquals(await as(NOBODY, NOBODY, "chmod", "604", mountpoint), "done");
    assertEquals(await as(OTHER, NOBODY, "cat", mountpoint), "done");
    assertMatch(
      await as(OTHER, NOBODY, "chmod", "666", mountpoint),
      /Operation not permitted/,
    );
    await must("chown", `${OTHER}:${NOBODY}`, mountpoint);
    assertEquals(await ownerOf(mountpoint), `${OTHER}:${NOBODY} 604`);
    assertMatch(await as(NOBODY, OTHER, ...write), /Permission denied/);
    assertEquals(await as(OTHER, OTHER, ...write), "done");
    assertEquals((await process.stop()).code, 0);
    assertEquals(await ownerOf(image), "0:0 644");
  },
  ["setpriv", "dd"],
);

mountTest("--uid, --gid and --mode are refused if wrong", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const cases = [
    [
      ["--uid=none.such"],
      2,
      /Cannot use none\.such \(--uid\): there is no user/,
    ],
    [["--gid=-1"], 2, /Cannot use -1 \(--gid\): there is no group/],
    [["--mode=999"], 2, /Cannot use 999 \(--mode\): expected permission bits/],
    [["--mode=644"], 1, /Cannot give a read-only export the mode 644: it/],
    [
      ["--uid=1", "--allow-other=off"],
      1,
      /Cannot show the file with the owner 1:0: only the user who exports/,
    ],
  ] as const;
  for (const [options, status, expected] of cases) {
    const args = ["export", ...options, image, mountpoint];
    const { code, stderr } = await runMain(args);
    assertEquals(code, status, stderr);
    assertMatch(stderr, expected);
  }
});
