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

function userTest(name: string, body: (nobody: Nobody) => Promise<void>): void {
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

const START = `rm -f told said
PATH="\${TRIED:-$PATH}" $MAIN export --json -w -q 2 --transport=device $ARGS disk.img mnt.img \\
  >told 2>said &
server=$!
until grep -qs '"event":"ready"' told; do
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
  nobody: Nobody,
  script: string,
  { prepare = "", env = {} }: NobodyOptions = {},
): Promise<string[]> {
  const text = await nobody.shell(FILES + START + script, {
    prepare: FORBID + prepare,
    env: { ARGS: "", ...env },
  });
  return text.trim().split("\n");
}

/** The export's "ready" event. */
async function readyOf({ home }: Nobody): Promise<Record<string, unknown>> {
  const told = await Deno.readTextFile(`${home}/told`);
  const lines = told.trim().split("\n").map((line) => JSON.parse(line));
  return lines.find(({ event }) => event === "ready") ?? lines;
}

/** The export's standard error. */
async function saidBy({ home }: Nobody): Promise<string> {
  return await Deno.readTextFile(`${home}/said`);
}

const USE = `head -c 256k /dev/urandom > data
dd if=data of=mnt.img bs=32k conv=notrunc,fsync status=none
cmp -n 262144 data mnt.img && cmp -n 262144 data disk.img && echo same
stat -c %a mnt.img
`;

userTest("an ordinary user exports, reads, writes, stops", async (nobody) => {
  for (const prepare of ["", FUSECTL]) {
    assertEquals(await exporting(nobody, USE + STOP, { prepare }), [
      "same",
      "600",
      "ended with 0",
      "0",
    ]);
    const { mountMethod, queues, allowOther, singleQueueReason } =
      await readyOf(
        nobody,
      );
    assertEquals({ mountMethod, queues, allowOther, singleQueueReason }, {
      mountMethod: "fusermount3",
      queues: 2,
      allowOther: false,
      singleQueueReason: null,
    });
    const said = await saidBy(nobody);
    assertMatch(
      said,
      /2 queues over \/dev\/fuse.*, mounted by fusermount3, FUSE 7/,
    );
    assertMatch(said, /allow-other off; stop with .*'fusermount3 -u mnt.img'/);
  }
});

userTest("a user's export ends though a file is open", async (nobody) => {
  for (const prepare of ["", FUSECTL]) {
    const start = Date.now();
    const script = `exec 3< mnt.img\n${STOP}`;
    const env = { ARGS: "--stop-timeout=0" };
    const told = await exporting(nobody, script, { prepare, env });
    const said = await saidBy(nobody);
    assertEquals(told, ["ended with 1", "0"], said);
    assertMatch(said, /while it was in use by sh \(process/);
    assert(Date.now() - start < 8000);
  }
});

userTest("a user's export waits for a client at its end", async (nobody) => {
  const script = `exec 3< mnt.img
kill $server
until grep -q '"event":"in-use"' told; do sleep 0.05; done
cmp mnt.img disk.img && echo same
exec 3<&-
wait $server
echo "ended with $?"
${MOUNTS}`;
  for (const prepare of ["", FUSECTL]) {
    const env = { ARGS: "--stop-timeout=50" };
    const told = await exporting(nobody, script, { prepare, env });
    const said = await saidBy(nobody);
    assertEquals(told, ["same", "ended with 0", "0"], said);
    assertMatch(said, /mnt.img is in use by sh \(process/);
  }
});

userTest(
  "an export with bounded sleeps wakes up for requests",
  async (nobody) => {
    // Longer than the longest sleep.
    const script = `sleep 1.2\n${USE}${STOP}`;
    const told = await exporting(nobody, script);
    assertEquals(told, ["same", "600", "ended with 0", "0"]);
  },
);

userTest("a user's export ends when it is unmounted", async (nobody) => {
  const script = `fusermount3 -u mnt.img
wait $server
echo "ended with $?"
${MOUNTS}`;
  assertEquals(await exporting(nobody, script), ["ended with 0", "0"]);
});

userTest("a killed user's export leaves no stale mount", async (nobody) => {
  const script = `exec 3< mnt.img
kill -9 $server
wait $server 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  grep -q "$PWD/mnt.img" /proc/self/mountinfo || break
  sleep 0.1
done
${MOUNTS}`;
  assertEquals(await exporting(nobody, script), ["0"]);
});

userTest(
  "a user removes the stale mount of an earlier export",
  async (nobody) => {
    // Its watcher is killed with it.
    const script = `pkill -9 -P $server
kill -9 $server
wait $server 2>/dev/null
${MOUNTS}${START}${STOP}`;
    for (const prepare of ["", FUSECTL]) {
      const told = await exporting(nobody, script, { prepare });
      const said = await saidBy(nobody);
      assertEquals(told, ["1", "ended with 0", "0"], said);
      assertMatch(said, /Removed the stale mount of .*disk.img/);
    }
  },
);

userTest("a user's live mount is refused, and stays", async (nobody) => {
  const script =
    `$MAIN export --no-lock --transport=device -w disk.img mnt.img 2>&1
kill -STOP $server
$MAIN export --no-lock --transport=device -w disk.img mnt.img 2>&1
kill -CONT $server
${USE}${STOP}`;
  for (const prepare of ["", FUSECTL]) {
    const told = await exporting(nobody, script, { prepare });
    const refusal =
      `mqfuse: Cannot mount on mnt.img: ${nobody.home}/disk.img is already exported there; end that export first or choose another mount point`;
    const rest = ["same", "600", "ended with 0", "0"];
    assertEquals(told, [refusal, refusal, ...rest]);
  }
});

userTest("a user gives others access if that is allowed", async (nobody) => {
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
    const told = await exporting(nobody, script, { prepare, env });
    const shown = wanted ? ["640"] : [
      "chmod: changing permissions of 'mnt.img': Operation not permitted",
      "600",
    ];
    assertEquals(told, [...shown, "ended with 0", "0"]);
    assertEquals((await readyOf(nobody)).allowOther, wanted);
  }
});

userTest("an error tells a user what prevents an export", async (nobody) => {
  const { home } = nobody;
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
    await exporting(nobody, "exit\n", options);
    const said = await saidBy(nobody);
    assert(said.startsWith("mqfuse: Cannot "), said);
    assert(said.endsWith(`${message}\n`), said);
    assertEquals(said.split("\n").length, 2, said);
  }
});

userTest(
  "one queue serves if no descriptor can be cloned",
  async (nobody) => {
    const { home } = nobody;
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
    const told = await exporting(nobody, USE + STOP, { prepare, env });
    assertEquals(told, ["same", "600", "ended with 0", "0"]);
    const reason =
      "Cannot open /dev/fuse: Permission denied (as root, run 'chmod 0666 /dev/fuse')";
    const { queues, singleQueueReason } = await readyOf(nobody);
    assertEquals({ queues, singleQueueReason }, {
      queues: 1,
      singleQueueReason: reason,
    });
    const said = await saidBy(nobody);
    assert(said.includes(`1 queue (no more are possible: ${reason})`), said);
  },
);
