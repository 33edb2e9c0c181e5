/**
 * The whole program, run by an ordinary user with only `--allow-ffi`.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { inTemporaryDirectory } from "../linux/_fixtures.ts";
import { asNobody, type Nobody, type NobodyOptions } from "../linux/_nobody.ts";
import { kernelTest } from "../requirements.ts";

const PROGRAMS = ["fusermount3", "unshare", "setpriv", "mknod", "timeout"];

function userTest(name: string, body: (user: Nobody) => Promise<void>): void {
  kernelTest(name, async () => {
    await inTemporaryDirectory(async (directory) => {
      await body(await asNobody(directory));
    });
  }, PROGRAMS);
}

const FUSECTL = "mount -t fusectl none /sys/fs/fuse/connections\n";
// Independent of the configuration of this machine.
const FORBID = `: > conf
touch /etc/fuse.conf
mount --bind conf /etc/fuse.conf
`;

const FILES = "truncate -s 1M disk.img; : > mnt.img\n";
const ALLOW = "echo user_allow_other > conf\n";

const START = `rm -f stdout stderr
PATH="\${TRIED:-$PATH}" $MAIN export --json -w -q 2 --transport=device $ARGS disk.img mnt.img \\
  >stdout 2>stderr &
server=$!
until grep -qs '"event":"ready"' stdout; do
  kill -0 $server || exit
  sleep 0.05
done
`;
const MOUNTS = `grep -c "$PWD/mnt.img" /proc/self/mountinfo\n`;
const STOP = `kill $server
wait $server
echo "ended with $?"
${MOUNTS}`;

/** Runs a script while an export runs; returns its output, by line. */
async function exporting(
  user: Nobody,
  script: string,
  { prepare = "", env = {} }: NobodyOptions = {},
): Promise<string[]> {
  const text = await user.shell(FILES + START + script, {
    prepare: FORBID + prepare,
    env: { ARGS: "", ...env },
  });
  return text.trim().split("\n");
}

/** The export's "ready" event. */
async function readyOf({ home }: Nobody): Promise<Record<string, unknown>> {
  const stdout = await Deno.readTextFile(`${home}/stdout`);
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return lines.find(({ event }) => event === "ready") ?? lines;
}

/** The export's standard error. */
async function stderrOf({ home }: Nobody): Promise<string> {
  return await Deno.readTextFile(`${home}/stderr`);
}

const USE = `head -c 256k /dev/urandom > data
dd if=data of=mnt.img bs=32k conv=notrunc,fsync status=none
cmp -n 262144 data mnt.img && cmp -n 262144 data disk.img && echo same
stat -c %a mnt.img
`;

userTest("an ordinary user exports, reads, writes, stops", async (user) => {
  for (const prepare of ["", FUSECTL]) {
    assertEquals(await exporting(user, USE + STOP, { prepare }), [
      "same",
      "600",
      "ended with 0",
      "0",
    ]);
    const { mountMethod, queues, allowOther, singleQueueReason } =
      await readyOf(
        user,
      );
    assertEquals({ mountMethod, queues, allowOther, singleQueueReason }, {
      mountMethod: "fusermount3",
      queues: 2,
      allowOther: false,
      singleQueueReason: null,
    });
    const stderr = await stderrOf(user);
    assertMatch(
      stderr,
      /2 queues over \/dev\/fuse.*, mounted by fusermount3, FUSE 7/,
    );
    assertMatch(
      stderr,
      /allow-other off; stop with .*'fusermount3 -u mnt.img'/,
    );
  }
});

userTest("a user's export ends though a file is open", async (user) => {
  for (const prepare of ["", FUSECTL]) {
    const start = Date.now();
    const script = `exec 3< mnt.img\n${STOP}`;
    const env = { ARGS: "--stop-timeout=0" };
    const output = await exporting(user, script, { prepare, env });
    const stderr = await stderrOf(user);
    assertEquals(output, ["ended with 1", "0"], stderr);
    assertMatch(stderr, /while it was in use by sh \(process/);
    assert(Date.now() - start < 8000);
  }
});

userTest("a user's export waits for a client at its end", async (user) => {
  const script = `exec 3< mnt.img
kill $server
until grep -q '"event":"in-use"' stdout; do sleep 0.05; done
cmp mnt.img disk.img && echo same
exec 3<&-
wait $server
echo "ended with $?"
${MOUNTS}`;
  for (const prepare of ["", FUSECTL]) {
    const env = { ARGS: "--stop-timeout=50" };
    const output = await exporting(user, script, { prepare, env });
    const stderr = await stderrOf(user);
    assertEquals(output, ["same", "ended with 0", "0"], stderr);
    assertMatch(stderr, /mnt.img is in use by sh \(process/);
  }
});

userTest(
  "an export with bounded sleeps wakes up for requests",
  async (user) => {
    // Longer than the longest sleep.
    const script = `sleep 1.2\n${USE}${STOP}`;
    const output = await exporting(user, script);
    assertEquals(output, ["same", "600", "ended with 0", "0"]);
  },
);

userTest("a user's export ends when it is unmounted", async (user) => {
  const script = `fusermount3 -u mnt.img
wait $server
echo "ended with $?"
${MOUNTS}`;
  assertEquals(await exporting(user, script), ["ended with 0", "0"]);
});

userTest("a killed user's export leaves no stale mount", async (user) => {
  const script = `exec 3< mnt.img
kill -9 $server
wait $server 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  grep -q "$PWD/mnt.img" /proc/self/mountinfo || break
  sleep 0.1
done
${MOUNTS}`;
  assertEquals(await exporting(user, script), ["0"]);
});

userTest(
  "a user removes the stale mount of an earlier export",
  async (user) => {
    // Its watcher is killed with it.
    const script = `pkill -9 -P $server
kill -9 $server
wait $server 2>/dev/null
${MOUNTS}${START}${STOP}`;
    for (const prepare of ["", FUSECTL]) {
      const output = await exporting(user, script, { prepare });
      const stderr = await stderrOf(user);
      assertEquals(output, ["1", "ended with 0", "0"], stderr);
      assertMatch(stderr, /Removed the stale mount of .*disk.img/);
    }
  },
);

userTest("a user's live mount is refused, and stays", async (user) => {
  const script =
    `$MAIN export --no-lock --transport=device -w disk.img mnt.img 2>&1
kill -STOP $server
$MAIN export --no-lock --transport=device -w disk.img mnt.img 2>&1
kill -CONT $server
${USE}${STOP}`;
  for (const prepare of ["", FUSECTL]) {
    const output = await exporting(user, script, { prepare });
    const refusal =
      `mqfuse: Cannot mount on mnt.img: ${user.home}/disk.img is already mounted there by mqfuse; end that mount first or choose another mount point`;
    const rest = ["same", "600", "ended with 0", "0"];
    assertEquals(output, [refusal, refusal, ...rest]);
  }
});

userTest("a user gives others access if that is allowed", async (user) => {
  const script = `chmod 640 mnt.img 2>&1; stat -c %a mnt.img
${STOP}`;
  const cases: [string, string, boolean][] = [
    ["off", ALLOW, false],
    ["on", ALLOW, true],
    ["auto", ALLOW, true],
    ["auto", "", false],
  ];
  for (const [choice, prepare, wanted] of cases) {
    const env = { ARGS: `--allow-other=${choice}` };
    const output = await exporting(user, script, { prepare, env });
    const shown = wanted ? ["640"] : [
      "chmod: changing permissions of 'mnt.img': Operation not permitted",
      "600",
    ];
    assertEquals(output, [...shown, "ended with 0", "0"]);
    assertEquals((await readyOf(user)).allowOther, wanted);
  }
});

userTest("an error tells a user what prevents an export", async (user) => {
  const { home } = user;
  await Deno.mkdir(`${home}/empty`);
  await Deno.chown(`${home}/empty`, 65534, 65534);
  const noDevice = "mount -t tmpfs none /dev\nmknod /dev/null c 1 3\n" +
    "chmod 0666 /dev/null\n";
  const cases: [NobodyOptions, string][] = [
    [
      { env: { ARGS: "--allow-other=on" } },
      "'user_allow_other' is set in /etc/fuse.conf (add a line 'user_allow_other' to /etc/fuse.conf, or use --allow-other=auto)",
    ],
    [
      { env: { TRIED: `${home}/empty` } },
      "Cannot mount without root: fusermount3 is not installed (install the package fuse3, or run as root)",
    ],
    [
      { prepare: noDevice },
      "Cannot open /dev/fuse: No such file or directory (load the kernel's module with 'modprobe fuse'; in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN)",
    ],
  ];
  for (const [options, message] of cases) {
    await exporting(user, "exit\n", options);
    const stderr = await stderrOf(user);
    assert(stderr.startsWith("mqfuse: Cannot "), stderr);
    assert(stderr.endsWith(`${message}\n`), stderr);
    assertEquals(stderr.split("\n").length, 2, stderr);
  }
});

userTest(
  "one queue serves if no descriptor can be cloned",
  async (user) => {
    const { home } = user;
    await Deno.mkdir(`${home}/fake`);
    // After the mount, no user can open the device.
    await Deno.writeTextFile(
      `${home}/fake/fusermount3`,
      `#!/bin/sh
PATH=/usr/bin:/bin
fusermount3 "$@" || exit
[ "$1" = -o ] || exit 0
: > mounted
until [ -e locked ]; do sleep 0.02; done
`,
    );
    await Deno.chmod(`${home}/fake/fusermount3`, 0o755);
    const prepare = `(until [ -e mounted ]; do sleep 0.02; done
chmod 0600 /dev/fuse
: > locked) >/dev/null 2>&1 &
`;
    const env = { TRIED: `${home}/fake:/usr/bin:/bin` };
    const output = await exporting(user, USE + STOP, { prepare, env });
    assertEquals(output, ["same", "600", "ended with 0", "0"]);
    const reason =
      "Cannot open /dev/fuse: Permission denied (as root, run 'chmod 0666 /dev/fuse')";
    const { queues, singleQueueReason } = await readyOf(user);
    assertEquals({ queues, singleQueueReason }, {
      queues: 1,
      singleQueueReason: reason,
    });
    const stderr = await stderrOf(user);
    assert(
      stderr.includes(`1 queue (no more are possible: ${reason})`),
      stderr,
    );
  },
);

const ODD_NAMES = `directory=$(printf 'a b\\377\\nc')
mkdir "$directory"
mv disk.img mnt.img "$directory"
cd "$directory" || exit
${START}exec 3<mnt.img
kill $server
until grep -qs '"event":"in-use"' stdout; do
  kill -0 $server || break
  sleep 0.05
done
grep -c '"event":"in-use"' stdout
exec 3<&-
wait $server
echo "ended with $?"
# Other tests mount files that are called so too.
grep -c " $(cd .. && pwd)/.*mnt.img " /proc/self/mountinfo
`;

// fusermount3 says that a mount is in use, in a message with its name.
userTest("names of an ordinary user's mounts are bytes", async (user) => {
  const options = { prepare: FORBID, env: { ARGS: "-w" } };
  const text = await user.shell(FILES + ODD_NAMES, options);
  assertEquals(text.trim().split("\n"), ["1", "ended with 0", "0"]);
});
