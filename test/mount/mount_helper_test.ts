import { assert, assertEquals, assertMatch } from "@std/assert";
import { mountTest, must, run } from "./_harness.ts";

const SCRIPT = new URL("../../contrib/mount.fuse.mqfuse", import.meta.url)
  .pathname;
const SERVICES = new URL("../../docs/SERVICES.md", import.meta.url);

/** What the helper would run: the words after mqfuse-daemonize. */
async function call(directory: string, ...args: string[]) {
  const daemonize = `${directory}/daemonize`;
  await Deno.writeTextFile(daemonize, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  await Deno.chmod(daemonize, 0o755);
  const { code, stdout, stderr } = await run(
    "env",
    `MQFUSE_DAEMONIZE=${daemonize}`,
    SCRIPT,
    "disk.img",
    "mnt.img",
    ...args,
  );
  return { code, stderr, words: stdout.trim().split("\n") };
}

async function wordsOf(directory: string, ...args: string[]) {
  const { code, stderr, words } = await call(directory, ...args);
  assertEquals([code, stderr], [0, ""], args.join(" "));
  assertEquals(words.slice(-3), ["--", "disk.img", "mnt.img"]);
  return words.slice(0, -3);
}

/** The table of options in docs/SERVICES.md: each option and what it becomes. */
async function documented(): Promise<(readonly [string, string])[]> {
  const text = await Deno.readTextFile(SERVICES);
  const start = text.indexOf("| option ");
  const table = text.slice(start, text.indexOf("\n\n", start));
  return table.split("\n").slice(2).flatMap((row) => {
    const [, options, becomes] = row.split(" | ").length > 2
      ? ["", ...row.replace(/^\| /, "").split(" | ")]
      : [];
    assert(options !== undefined && becomes !== undefined, row);
    return [...options.matchAll(/`([^`]+)`/g)].map(([, option]) =>
      [option!, becomes.trim()] as const
    );
  });
}

/** The words that the document promises, without `--writable`. */
function promised(option: string, becomes: string): string[] {
  const words = [...becomes.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
  const flags = words.filter((word) => !word.startsWith("--"));
  if (becomes.includes("mount flag")) flags.push(option);
  return [
    ...flags.length > 0 ? [`--mount-options=${flags.join()}`] : [],
    ...words.filter((word) => word.startsWith("--") && word !== "--writable"),
  ];
}

mountTest(
  "each option of mount(8) becomes what docs/SERVICES.md says",
  async (directory) => {
    const table = await documented();
    assert(table.length > 60, `${table.length} options`);
    for (const [form, cell] of table) {
      if (form === "remount") continue;
      const option = form.replaceAll("NAME", "a.b");
      const becomes = cell.replaceAll("NAME", "a.b");
      if (becomes === "refused") {
        const { code, stderr } = await call(directory, "-o", option);
        assertEquals(code, 1, option);
        assertMatch(stderr, /^mount.fuse.mqfuse: Cannot use the option .*\n$/);
        const sloppy = await wordsOf(directory, "-s", "-o", option);
        assertEquals(sloppy, ["--writable"]);
        continue;
      }
      const words = await wordsOf(directory, "-o", option);
      const writable = form === "ro" ? [] : ["--writable"];
      const isIgnored = becomes === "ignored" ||
        form.endsWith("context=NAME") && !await hasSelinux();
      const expected = isIgnored ? [] : promised(option, becomes);
      assertEquals(words.sort(), [...expected, ...writable].sort(), form);
    }
  },
);

mountTest(
  "docs/SERVICES.md names each option that mount.fuse.mqfuse knows",
  async () => {
    const names = new Set((await documented()).map(([form]) => start(form)));
    const script = await Deno.readTextFile(SCRIPT);
    const rows = script.slice(script.indexOf("allow_other)"));
    const patterns = [...rows.matchAll(/^ {4}([^ ()][^()]*)\)/gm)]
      .flatMap(([, pattern]) => pattern!.split(" | "))
      .filter((pattern) => /^[\w-]/.test(pattern) && pattern !== "log=*");
    assert(patterns.length > 45, `${patterns.length} patterns`);
    assertEquals(patterns.filter((name) => !names.has(start(name))), []);
  },
);

/** An option or a pattern up to its variable part. */
function start(form: string): string {
  return form.replace(/(NAME|\*).*$/, "");
}

async function hasSelinux(): Promise<boolean> {
  return (await run("test", "-e", "/sys/fs/selinux/enforce")).code === 0;
}

mountTest("of mount options, the last one counts", async (directory) => {
  const cases = {
    "rw,ro": [],
    "ro,rw": ["--writable"],
    "user,exec": [
      "--mount-options=nosuid,nodev,noexec,exec",
      "--writable",
    ],
    "exec,user": [
      "--mount-options=exec,nosuid,nodev,noexec",
      "--writable",
    ],
    "sync,async": ["--mount-options=sync,async", "--writable"],
    "sync,ro": ["--mount-options=sync"],
    "noexec=recursive,ro=vfs": ["--mount-options=noexec"],
    "": ["--writable"],
    ",,": ["--writable"],
    'log="a,b",queues=2': ["--log", '"a,b"', "--writable", "--queues=2"],
  };
  for (const [options, words] of Object.entries(cases)) {
    assertEquals(await wordsOf(directory, "-o", options), words, options);
  }
  assertEquals(await wordsOf(directory, "-o", "ro", "-n", "-o", "noexec"), [
    "--mount-options=noexec",
  ]);
});

mountTest(
  "mount.fuse.mqfuse reads mount(8)'s own letters",
  async (directory) => {
    const fake = await call(directory, "-fv", "-o", "ro");
    assertEquals(fake.code, 0);
    assertMatch(
      fake.words.join("\n"),
      /^mount\.fuse\.mqfuse: \S+daemonize -- disk\.img mnt\.img$/,
    );
    const bad = await call(directory, "-f", "-o", "bogus");
    assertEquals(bad.code, 1);
    assertEquals(await wordsOf(directory, "-t", "fuse.mqfuse"), ["--writable"]);
    const subtype = await call(directory, "-t", "fuse.mqfuse.sub");
    assertEquals(subtype.code, 1);
    assertMatch(subtype.stderr, /Cannot mount the type fuse\.mqfuse\.sub: use/);
    const verbose = await call(directory, "-sv", "-o", "bogus");
    assertMatch(verbose.stderr, /ignored the option bogus/);
    await must("mkdir", `${directory}/in`);
    const inside = await run(
      "env",
      "-C",
      `${directory}/in`,
      "MQFUSE_DAEMONIZE=/usr/bin/echo",
      SCRIPT,
      ..."disk.img mnt.img -N /proc/self/ns/mnt -o ro".split(" "),
    );
    assertEquals(inside.stdout, "-- disk.img mnt.img\n", inside.stderr);
  },
  ["nsenter"],
);
