import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { zip } from "../trees/_archives.ts";
import { ExampleProcess, script } from "./_example.ts";
import { eventually, mountTest } from "./_harness.ts";

mountTest("zip.ts shows an archive", async (directory) => {
  const archive = `${directory}/archive.zip`;
  const mountpoint = `${directory}/mnt`;
  await Deno.mkdir(mountpoint);
  const long = "all work and no play\n".repeat(10_000);
  const entries = [
    { name: "stored.txt", data: "stored\n" },
    { name: "inner/long.txt", data: long, deflated: true },
  ];
  await Deno.writeFile(archive, zip(entries));
  await using process = await ExampleProcess.start("zip.ts", mountpoint, {
    permissions: ["--allow-ffi", "--allow-read"],
    args: [archive],
  });
  const { text } = await script(
    mountpoint,
    `find . -printf '%P %s\\n' | sort; cat stored.txt
    sort -u inner/long.txt; wc -l < inner/long.txt; echo x > stored.txt`,
  );
  assertEquals(text.split("\n").slice(0, 7), [
    " 0",
    "inner 0",
    `inner/long.txt ${long.length}`,
    "stored.txt 7",
    "stored",
    "all work and no play",
    "10000",
  ]);
  assert(text.includes("Read-only file system"), text);
  assertEquals(await process.stop("SIGINT"), 0);
});

const TABLE = `set -e
echo first > a; cat a; echo more >> a; cat a; printf XY | dd of=a bs=1 seek=2 \\
  conv=notrunc status=none; cat a; truncate -s 3 a; od -c a
touch -d 2001-02-03 a; stat -c '%s %y %a %h' a
echo other > b; exec 3< b; rm b; cat <&3; ls
mv a c; ls; ln -s c d 2>&1 || true; mkdir d 2>&1 || true; chmod 600 c 2>&1 || true
truncate -s 1025K c 2>&1 || true; stat -c %s c`;

mountTest("table.ts shows the rows of a database", async (directory) => {
  const path = `${directory}/notes.sqlite`;
  const mountpoint = `${directory}/mnt`;
  await Deno.mkdir(mountpoint);
  await using process = await ExampleProcess.start("table.ts", mountpoint, {
    permissions: ["--allow-ffi", "--allow-read", "--allow-write"],
    args: [path],
  });
  const { text } = await script(mountpoint, TABLE);
  assertEquals(text.split("\n"), [
    "first",
    "first",
    "more",
    "fiXYt",
    "more",
    "0000000   f   i   X",
    "0000003",
    "3 2001-02-03 00:00:00.000000000 +0000 644 1",
    "other",
    "a",
    "c",
    "ln: failed to create symbolic link 'd': Operation not permitted",
    "mkdir: cannot create directory 'd': Operation not permitted",
    "chmod: changing permissions of 'c': Operation not permitted",
    "truncate: failed to truncate 'c' at 1049600 bytes: File too large",
    "3",
    "",
  ]);
  {
    using database = new DatabaseSync(path, { timeout: 5000 });
    const rows = () =>
      database.prepare("SELECT name, content FROM files").all();
    // What was removed while it was open goes when the kernel forgets it.
    await eventually(() => rows().length === 1, "one row");
    const content = new TextEncoder().encode("fiX");
    assertEquals(rows().map((row) => ({ ...row })), [{ name: "c", content }]);
    // What another program changes is seen at once, and no bad name.
    database.exec("UPDATE files SET name = 'new', content = 'text'");
    database.exec("INSERT INTO files (name) VALUES ('a/b')");
  }
  assertEquals((await script(mountpoint, "ls; cat new")).text, "new\ntext");
  assertEquals(await process.stop("SIGTERM"), 0);
});

/** Reads two ticks, the second one after poll(2), and the names before and after. */
const CLOCK = `
import os, select, time
known = open('time').read()
names = os.listdir('.')
ticks = os.open('ticks', os.O_RDONLY)
print(len(os.read(ticks, 100)), sorted(map(len, names)))
poll = select.poll()
poll.register(ticks, select.POLLIN)
print(poll.poll(0), poll.poll(5000) == [(ticks, select.POLLIN)])
tick = os.read(ticks, 100).decode()
for _ in range(100):
    if open('time').read() == tick: break
    time.sleep(.01)
print(known != tick, open('time').read() == tick, tick[:-1] in os.listdir('.'))
print(any(name in os.listdir('.') for name in names if ':' in name))
`;

mountTest("clock.ts shows files that change", async (directory) => {
  await using process = await ExampleProcess.start("clock.ts", directory);
  const { code, text } = await script(
    directory,
    `python3 -c "${CLOCK}" && exec timeout -s INT 0.2 cat ticks`,
  );
  assertEquals(text.split("\n").slice(0, 4), [
    "9 [4, 5, 8]",
    "[] True",
    "True True True",
    "False",
  ], text);
  assertMatch(text.split("\n")[4] ?? "", /^(\d\d:\d\d:\d\d)?$/);
  // A signal ends a read that waits.
  assertEquals(code, 124);
  assertEquals(await process.stop("SIGINT"), 0);
}, ["python3"]);
