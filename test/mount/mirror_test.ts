import { assert, assertEquals, assertMatch } from "@std/assert";
import { script } from "./_example.ts";
import { SCRIPTS } from "./_example_scripts.ts";
import {
  eventually,
  ExportProcess,
  isMounted,
  mountTest,
  must,
  runMain,
} from "./_harness.ts";

import { mirrorTest } from "./_mirror.ts";

const RACE = new URL("_race_client.py", import.meta.url).pathname;
const SOURCES = new URL("../../src", import.meta.url).pathname;

mirrorTest(
  "a mirror behaves like the file system below it",
  async ({ host, mountpoint }, t) => {
    const plain = await Deno.makeTempDir({ dir: `${host}/..` });
    await Deno.chmod(plain, 0o755);
    for (const [name, text] of Object.entries(SCRIPTS)) {
      await t.step(name, async () => {
        const prepared = `mkdir "${name}" && cd "${name}" || exit\n${text}`;
        const [expected, actual] = await Promise.all(
          [plain, mountpoint].map((directory) => script(directory, prepared)),
        );
        assertEquals(actual, expected);
        assertEquals(expected!.code, 0, expected!.text);
      });
    }
  },
);

mirrorTest(
  "programs that copy, pack and search trees work on a mirror",
  async ({ host, mountpoint }) => {
    await must("cp", "-a", SOURCES, `${mountpoint}/copy`);
    await must("diff", "-r", SOURCES, `${host}/copy`);
    await must("tar", "-cf", `${mountpoint}/a.tar`, "-C", SOURCES, ".");
    await Deno.mkdir(`${mountpoint}/tar`);
    await must("tar", "-xpf", `${mountpoint}/a.tar`, "-C", `${mountpoint}/tar`);
    await must("diff", "-r", SOURCES, `${mountpoint}/tar`);
    const options = ["-aHX", "--delete", "--checksum"];
    const synced = `${mountpoint}/synced`;
    await must("rsync", ...options, `${SOURCES}/`, synced);
    assertEquals(
      await must("rsync", ...options, "-in", `${SOURCES}/`, synced),
      "",
    );
    const git = ["-C", `${mountpoint}/tar`, "-c", "user.name=a"];
    git.push("-c", "user.email=a@b", "-c", "safe.directory=*");
    await must("git", ...git, "init", "-q");
    await must("git", ...git, "add", "-A");
    await must("git", ...git, "commit", "-qm", "all");
    assertEquals(await must("git", ...git, "status", "--porcelain"), "");
    const found = await must("find", `${host}/tar/linux`, "-printf", "%P %i\n");
    const same = await must(
      "find",
      `${mountpoint}/tar/linux`,
      "-printf",
      "%P %i\n",
    );
    assertEquals(same.split("\n").sort(), found.split("\n").sort());
  },
  { programs: ["rsync", "git", "tar"] },
);

mirrorTest(
  "the kernel reads and writes the files of a mirror by itself",
  async ({ process, host, mountpoint }) => {
    const { kind } = process.ready.passthrough as { kind: string };
    await must(
      "dd",
      "if=/dev/urandom",
      `of=${mountpoint}/f`,
      "bs=1M",
      "count=3",
    );
    await must("cmp", `${mountpoint}/f`, `${host}/f`);
    await must("sh", "-c", 'echo more >> "$0"', `${host}/f`);
    await must("cmp", `${mountpoint}/f`, `${host}/f`);
    await process.stop();
    const [queue] = process.totals;
    if (kind === "on") assertEquals([queue!.reads, queue!.writes], [0, 0]);
  },
);

mirrorTest(
  "a mirror works without passthrough",
  async ({ host, mountpoint }) => {
    await must(
      "dd",
      "if=/dev/urandom",
      `of=${mountpoint}/f`,
      "bs=1M",
      "count=3",
    );
    await must("cmp", `${mountpoint}/f`, `${host}/f`);
    await must("sh", "-c", 'echo more >> "$0"', `${mountpoint}/f`);
    await must("cmp", `${mountpoint}/f`, `${host}/f`);
  },
  { options: ["--passthrough=off", "--attr-seconds=0"] },
);

mirrorTest(
  "directories and symbolic links that swap names lead nowhere else",
  async ({ host, mountpoint }) => {
    for (const name of ["inside", "outside"]) {
      await Deno.mkdir(`${host}/${name}`);
      await Deno.writeTextFile(`${host}/${name}/file`, `${name}\n`);
    }
    await Deno.symlink("outside", `${host}/link`);
    assertMatch(
      await must("python3", RACE, host, mountpoint, "3"),
      /^read \d+ refused \d+$/,
    );
  },
  {
    options: ["--entry-seconds=0", "--attr-seconds=0"],
    programs: ["python3"],
  },
);

mirrorTest(
  "the mount of a program that was killed ends",
  async ({ process, host, mountpoint }) => {
    await Deno.writeTextFile(`${host}/file`, "text");
    assertEquals(await Deno.readTextFile(`${mountpoint}/file`), "text");
    Deno.kill(process.pid, "SIGKILL");
    await process.ended;
    await eventually(() => !isMounted(mountpoint), "the unmount");
  },
);

mountTest(
  "a file system of a module is mounted by its name",
  async (directory) => {
    const module = `${directory}/my fs.ts`;
    await Deno.writeTextFile(
      module,
      `const file = { mode: 0o100444, size: 3 };
     export default () => ({
       root: { mode: 0o40755 },
       getattr: (node) => node,
       lookup: (_, name) => name === "a" ? file : null,
       readdir: () => [["a", file]],
       read: () => new TextEncoder().encode("hi\\n"),
     });`,
    );
    const mountpoint = `${directory}/mnt`;
    await Deno.mkdir(mountpoint);
    const permissions = ["--allow-ffi", "--allow-read"];
    await using process = await ExportProcess.start(
      [`fs:${module}`, mountpoint],
      { command: "mount", permissions },
    );
    assertEquals(await must("ls", mountpoint), "a");
    assertEquals(await must("cat", `${mountpoint}/a`), "hi");
    assertEquals((await process.stop()).code, 0);
  },
);

mountTest(
  "the mount of a module ends if its program is killed, unless that is switched off",
  async (directory) => {
    const mountpoint = `${directory}/mnt`;
    await Deno.mkdir(mountpoint);
    await Deno.writeTextFile(
      `${directory}/fs.ts`,
      "export default { root: { mode: 0o40755 }, getattr: (node) => node };",
    );
    for (const choice of ["on", "off"]) {
      await using process = await ExportProcess.start(
        [`--auto-unmount=${choice}`, `fs:${directory}/fs.ts`, mountpoint],
        { command: "mount", permissions: ["--allow-ffi", "--allow-read"] },
      );
      Deno.kill(process.pid, "SIGKILL");
      await process.ended;
      if (choice === "on") {
        await eventually(() => !isMounted(mountpoint), "the unmount");
      } else {
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert(isMounted(mountpoint));
      }
    }
  },
);

mountTest(
  "a tree that cannot be mounted is refused in one sentence",
  async (directory) => {
    const mountpoint = `${directory}/mnt`;
    await Deno.mkdir(mountpoint);
    await Deno.writeTextFile(`${directory}/broken.ts`, "export default 1;");
    const cases: [string, RegExp][] = [
      [
        "x:y",
        /^mqfuse: Cannot mount x:y, which names no tree: expected one of mirror:DIR, /,
      ],
      [
        `mirror:${directory}/none`,
        /^mqfuse: Cannot open the directory .*none: No such file/,
      ],
      [
        `mirror:${directory}/broken.ts`,
        /^mqfuse: Cannot open the directory .*: Not a directory/,
      ],
      [
        `fs:${directory}/none.ts`,
        /^mqfuse: Cannot mount the module .*none\.ts: /,
      ],
      ...["zip", "tar"].map((kind): [string, RegExp] => [
        `${kind}:${directory}/broken.ts`,
        /^mqfuse: Cannot mount .*broken\.ts: Cannot read the (ZIP|tar) archive: /,
      ]),
      [
        `fs:${directory}/broken.ts`,
        /: its default export must be a FileSystem, /,
      ],
    ];
    for (const [source, message] of cases) {
      const permissions = ["--allow-ffi", "--allow-read"];
      const ended = await runMain(["mount", source, mountpoint], {
        permissions,
      });
      assertMatch(ended.stderr, message);
      assertEquals(ended.stderr.trimEnd().split("\n").length, 1);
      assert(ended.code !== 0);
      assert(!isMounted(mountpoint));
    }
  },
);

mountTest("archives are mounted by their names", async (directory) => {
  const mountpoint = `${directory}/mnt`;
  await Deno.mkdir(mountpoint);
  const python = ["-m", "zipfile", "-c", `${directory}/a.zip`];
  await must("python3", ...python, `${SOURCES}/mirror/`);
  const tar = ["-cf", `${directory}/a.tar`, "-C", SOURCES, "mirror"];
  await must("tar", ...tar);
  for (const kind of ["zip", "tar"]) {
    await using process = await ExportProcess.start(
      [`${kind}:${directory}/a.${kind}`, mountpoint],
      { command: "mount" },
    );
    await must("diff", "-r", `${SOURCES}/mirror`, `${mountpoint}/mirror`);
    await process.stop();
    assertEquals((await process.ended).code, 0);
  }
}, ["python3", "tar"]);
