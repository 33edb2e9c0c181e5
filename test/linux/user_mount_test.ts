import { assert, assertEquals, assertMatch } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";
import { asNobody, type Nobody, type NobodyOptions } from "./_nobody.ts";

type Facts = Record<string, unknown>;

const PROGRAMS = ["fusermount3", "unshare", "setpriv", "mknod", "timeout"];
const CONTAINER =
  "in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN";

function userTest(name: string, body: (nobody: Nobody) => Promise<void>): void {
  kernelTest(name, async () => {
    await inTemporaryDirectory(async (directory) => {
      const nobody = await asNobody(directory);
      await Deno.writeTextFile(`${nobody.home}/disk.img`, "underneath");
      await Deno.chown(`${nobody.home}/disk.img`, 65534, 65534);
      await body(nobody);
    });
  }, PROGRAMS);
}

/** Runs _mounter.ts; returns the lines that it printed. */
async function mount(
  nobody: Nobody,
  wanted: Facts = {},
  options: NobodyOptions = {},
): Promise<Facts[]> {
  const { env = {}, ...rest } = options;
  const text = await nobody.shell(`exec $MOUNTER "$OPTIONS" unmount`, {
    ...rest,
    env: { OPTIONS: JSON.stringify(wanted), ...env },
  });
  return facts(text);
}

function facts(text: string): Facts[] {
  try {
    return text.trim().split("\n").map((line) => JSON.parse(line));
  } catch (cause) {
    throw new Error(`Cannot read ${text}`, { cause });
  }
}

const ALLOW = `cp /etc/fuse.conf conf 2>/dev/null || :
echo user_allow_other >> conf
chmod 0644 conf
touch /etc/fuse.conf
mount --bind conf /etc/fuse.conf
`;
const FORBID = ALLOW.replace("echo user_allow_other >> conf", ": > conf");
const FUSECTL = "mount -t fusectl none /sys/fs/fuse/connections\n";

userTest("an ordinary user mounts, clones and unmounts", async (nobody) => {
  const [mounted, unmounted] = await mount(nobody, {}, { prepare: FUSECTL });
  assertEquals(mounted?.mountMethod, "fusermount3");
  assertEquals(mounted?.allowOther, false);
  assertEquals(mounted?.state, "live");
  assertEquals(mounted?.wakesReaders, true);
  assertEquals(mounted?.connection, true);
  const line = String(mounted?.line);
  assert(
    line.includes(`${nobody.home}/disk.img rw,nosuid,nodev,noatime`),
    line,
  );
  assert(line.includes(" - fuse.mqfuse /a,\\040b\\134c rw,"), line);
  assert(line.includes("user_id=65534,group_id=65534"), line);
  assert(line.includes("default_permissions"), line);
  assert(line.includes("max_read=1048576"), line);
  assert(!line.includes("allow_other"), line);
  assertEquals(unmounted, { first: "unmounted", second: "gone" });
});

userTest("a user's read-only mount over the image itself", async (nobody) => {
  const [mounted] = await mount(nobody, {
    mountpoint: `${nobody.home}/disk.img`,
    source: `${nobody.home}/disk.img`,
    readOnly: true,
  });
  assert(String(mounted?.line).includes("/disk.img ro,nosuid"));
  assertEquals(mounted?.under, "underneath");
});

userTest(
  "other users may access a user's mount if fuse.conf permits it",
  async (nobody) => {
    const cases: [string, string, boolean | RegExp][] = [
      ["off", ALLOW, false],
      ["on", ALLOW, true],
      ["auto", ALLOW, true],
      ["auto", FORBID, false],
      [
        "on",
        FORBID,
        /'user_allow_other' is set.*add a line 'user_allow_other'/,
      ],
    ];
    for (const [allowOther, prepare, wanted] of cases) {
      const [told] = await mount(nobody, { allowOther }, { prepare });
      if (wanted instanceof RegExp) {
        assertEquals(told?.code, "EPERM");
        assertMatch(String(told?.message), wanted);
      } else {
        assertEquals(told?.allowOther, wanted, `${allowOther} ${prepare}`);
        assertEquals(String(told?.line).includes("allow_other"), wanted);
      }
    }
  },
);

userTest("errors of mounting as a user say why", async (nobody) => {
  const { home } = nobody;
  await Deno.writeTextFile(`${home}/root's`, "");
  await Deno.symlink("disk.img", `${home}/link`);
  await Deno.mkdir(`${home}/empty`);
  await Deno.mkdir(`${home}/fake`);
  await Deno.writeTextFile(`${home}/fake/fusermount3`, "#!/bin/sh\nexit 7\n");
  await Deno.chmod(`${home}/fake/fusermount3`, 0o755);
  const noDevice = "mount -t tmpfs none /dev\nmknod /dev/null c 1 3\n" +
    "chmod 0666 /dev/null\n";
  const cases: [Facts, NobodyOptions, string, string][] = [
    [
      {},
      { env: { PATH: `${home}/empty` } },
      "ENOENT",
      "Cannot mount without root: fusermount3 is not installed (install the package fuse3, or run as root)",
    ],
    [
      {},
      { prepare: noDevice },
      "ENOENT",
      `Cannot open /dev/fuse: No such file or directory (load the kernel's module with 'modprobe fuse'; ${CONTAINER})`,
    ],
    [
      {},
      { prepare: "chmod 0600 /dev/fuse\n" },
      "EACCES",
      "Cannot open /dev/fuse: Permission denied (as root, run 'chmod 0666 /dev/fuse')",
    ],
    [
      { mountpoint: "root's" },
      {},
      "EACCES",
      `Cannot mount on ${home}/root's: failed to open ${home}/root's: Permission denied (make the mount point writable with 'chmod u+w ${home}/root's', or choose another)`,
    ],
    [
      { mountpoint: "link" },
      {},
      "ELOOP",
      "Cannot mount on link: it is a symbolic link (give a regular file)",
    ],
    [
      {},
      { env: { PATH: `${home}/fake:/usr/bin:/bin` } },
      "EIO",
      `Cannot mount on ${home}/disk.img: fusermount3 ended with exit code 7`,
    ],
  ];
  for (const [wanted, options, code, message] of cases) {
    // Deno is started by its path, because PATH is under test.
    const told = facts(
      await nobody.shell(
        `PATH="\${TRIED:-$PATH}" exec $MOUNTER "$OPTIONS" unmount`,
        {
          ...options,
          env: {
            OPTIONS: JSON.stringify(wanted),
            ...options.env === undefined ? {} : { TRIED: options.env.PATH! },
          },
        },
      ),
    );
    assertEquals(told, [{ code, message }]);
  }
});

userTest("with no_new_privs the error says why", async (nobody) => {
  const text = await nobody.shell(
    "exec setpriv --no-new-privs $MOUNTER {} unmount",
  );
  assertEquals(facts(text), [{
    code: "EPERM",
    message:
      `Cannot mount on ${nobody.home}/disk.img: mount failed: Operation not permitted (fusermount3 must be setuid root, and no_new_privs must be off; ${CONTAINER})`,
  }]);
});

userTest(
  "a mount point that is replaced meanwhile is detected",
  async (nobody) => {
    const { home } = nobody;
    await Deno.mkdir(`${home}/fake`);
    await Deno.writeTextFile(
      `${home}/fake/fusermount3`,
      `#!/bin/sh
PATH=/usr/bin:/bin
[ "$1" = -u ] || { mv disk.img old.img; : > disk.img; }
exec fusermount3 "$@"
`,
    );
    await Deno.chmod(`${home}/fake/fusermount3`, 0o755);
    const text = await nobody.shell(
      'PATH="$PWD/fake:$PATH" $MOUNTER {} unmount; grep -c "$PWD" /proc/self/mountinfo',
    );
    const [told, mounts] = text.trim().split("\n");
    assertEquals(JSON.parse(told!), {
      code: "ESTALE",
      message:
        "Cannot mount on disk.img: the mount point was moved or replaced meanwhile (choose a mount point in a directory that only you may write to)",
    });
    // The tmpfs with the device is elsewhere.
    assertEquals(mounts, "0");
  },
);

const KILL = `$MOUNTER "$OPTIONS" wait > told &
server=$!
while ! [ -s told ]; do sleep 0.05; done
[ -z "$CLIENT" ] || { (cat disk.img >/dev/null 2>&1; echo "cat: $?") & sleep 0.2; }
kill -9 $server
wait 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  grep -q "$PWD/disk.img" /proc/self/mountinfo || break
  sleep 0.1
done
grep -c "$PWD/disk.img" /proc/self/mountinfo
`;

userTest("the mount of a killed process is unmounted", async (nobody) => {
  const env = { OPTIONS: "{}", CLIENT: "" };
  assertEquals(await nobody.shell(KILL, { env }), "0\n");
  await Deno.remove(`${nobody.home}/told`);
  // A client with a pending request neither keeps it busy nor hangs.
  const busy = { OPTIONS: "{}", CLIENT: "yes" };
  assertEquals(await nobody.shell(KILL, { env: busy }), "cat: 1\n0\n");
});

userTest("a user clears a stale mount", async (nobody) => {
  const env = { OPTIONS: JSON.stringify({ autoUnmount: false }), CLIENT: "" };
  const script = `${KILL} $MOUNTER disk.img clear; $MOUNTER disk.img clear`;
  const text = await nobody.shell(script, { env, prepare: FUSECTL });
  const [count, ...told] = text.trim().split("\n");
  assertEquals(count, "1");
  assertEquals(told.map((line) => JSON.parse(line)), [
    { state: "dead", result: "unmounted" },
    { state: "none" },
  ]);
});

userTest(
  "a user may abort a connection if fusectl is mounted",
  async (nobody) => {
    for (const prepare of [FUSECTL, ""]) {
      const text = await nobody.shell("exec $MOUNTER {} abort", { prepare });
      const [mounted, abort, unmounted] = facts(text);
      const may = prepare !== "" || await isMounted("/sys/fs/fuse/connections");
      assertEquals(mounted?.wakesReaders, may);
      assertEquals(abort, { aborted: may });
      assertEquals(unmounted, { first: "unmounted", second: "gone" });
    }
  },
);

async function isMounted(path: string): Promise<boolean> {
  return (await Deno.readTextFile("/proc/mounts")).includes(` ${path} `);
}
