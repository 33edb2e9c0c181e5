import { assertEquals, assertMatch } from "@std/assert";
import { main } from "../../src/cli/main.ts";
import { kernelTest } from "../requirements.ts";
import { KeptSinks } from "./_sinks.ts";

/** Command lines that are wrong on every machine: exit code 2. */
const USAGE = [
  "",
  "-",
  "- mnt.img",
  "disk.img",
  "disk.img mnt.img more",
  "null: mnt.img",
  "null:0 mnt.img",
  "pattern:abc mnt.img",
  "memory:8P mnt.img",
  "disk.img mnt.img --bogus",
  "disk.img mnt.img --pidfile",
  "disk.img mnt.img --growable",
  "disk.img mnt.img --writethrough",
  "disk.img mnt.img --size=0",
  "disk.img mnt.img --size=1X",
  "disk.img mnt.img --offset=-1",
  "disk.img mnt.img --queues=65",
  "disk.img mnt.img --transport=tcp",
  "disk.img mnt.img --passthrough=yes",
  "disk.img mnt.img --cache=yes",
  "disk.img mnt.img --cache=writeback",
  "disk.img mnt.img -w --cache=writeback --growable",
  "disk.img mnt.img --poll-us=1.5",
  "disk.img mnt.img --allow-other=maybe",
  "disk.img mnt.img --stats=0",
  "disk.img mnt.img --direct=yes",
];

/** Command lines that fail because of files or images: exit code 1. */
const FAILURES = [
  "none.img mnt.img",
  "empty.img mnt.img",
  "dir mnt.img",
  "/dev/null mnt.img",
  "disk.img none",
  "disk.img dir",
  "disk.img disk.img/x",
  "--direct null:1G mnt.img",
  "--direct memory:1M mnt.img",
  "--offset=1M --size=1 pattern:1M mnt.img",
  "-w pattern:1M mnt.img",
  "memory:7P mnt.img",
  "disk.img mnt.img --size=2M",
  "disk.img mnt.img --offset=1M",
  "disk.img mnt.img --direct --offset=100",
  "disk.img mnt.img -w --growable --size=1k",
  "disk.img mnt.img -w --passthrough=on",
  "disk.img mnt.img --pidfile=none/pid",
  "disk.img mnt.img --pidfile=dir",
  "disk.img mnt.img --pidfile=disk.img",
  "disk.img mnt.img --control=none/socket",
  "disk.img mnt.img --control=disk.img",
  `disk.img mnt.img --control=${"x".repeat(256)}`,
];

/** Other commands. */
const OTHERS: readonly [number, string][] = [
  [2, "exprot"],
  [2, "--bogus"],
  [2, "info one more"],
  [1, "info more"],
  [2, "info --map"],
  [1, "info qcow2:more"],
  [2, "info qcow2:"],
  [2, "export --backing= qcow2:a b"],
  [2, "demo more"],
  [2, "convert"],
  [2, "convert disk.img"],
  [2, "convert --partition=1 --since=a --backing=raw:b qcow2:a qcow2:c"],
  [1, "convert --partition=1 disk.img a.img"],
  [1, "tune --partition=1 disk.img"],
  [1, "commit disk.img"],
  [1, "commit vmdk:a"],
  [1, "commit qcow2:memory:1M"],
  [2, "decode"],
  [2, "decode one two"],
  [1, "decode none"],
  [1, "decode dir"],
  [1, "decode disk.img"],
  [2, "ctl"],
  [2, "ctl socket"],
  [2, "ctl socket dance"],
  [2, "ctl socket resize"],
  [2, "ctl socket resize 5x"],
  [1, "ctl none query"],
  [1, "ctl disk.img query"],
  [2, "sim more"],
  [2, "sim --queues=0"],
  [2, "sim --bs=0"],
  [2, "sim --bs=5x"],
  [2, "sim --rw=both"],
  [2, "sim --faults=bad-luck"],
  [2, "sim --faults=swarm --jobs=1"],
];

kernelTest(
  "every bad input gives one sentence or event and its exit code, and is no defect",
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "mqfuse-test-" });
    const before = Deno.cwd();
    try {
      Deno.chdir(directory);
      await Deno.writeFile("disk.img", new Uint8Array(1 << 20));
      await Deno.writeTextFile("empty.img", "");
      await Deno.writeTextFile("mnt.img", "");
      await Deno.mkdir("dir");
      const cases: [number, string][] = [
        ...USAGE.map((line): [number, string] => [2, `export ${line}`]),
        ...FAILURES.map((line): [number, string] => [1, `export ${line}`]),
        ...OTHERS,
      ];
      for (const [expected, line] of cases) {
        const sinks = new KeptSinks();
        const args = line.split(" ").filter((word) => word !== "");
        const code = await main(args, "1.2.3", sinks);
        assertEquals(
          [code, sinks.out],
          [expected, ""],
          `${line}: ${sinks.err}`,
        );
        assertMatch(sinks.err, /^mqfuse: (?:Cannot|Unknown) [^\n]+\n$/);
        assertEquals(sinks.err.includes("defect"), false, sinks.err);
        const logged = new KeptSinks();
        const inJson = args.toSpliced(1, 0, "--log-format=json");
        assertEquals(await main(inJson, "1.2.3", logged), expected, line);
        const { event, message } = JSON.parse(logged.err);
        const told = `mqfuse: ${message.replaceAll("\0", "\\x00")}\n`;
        assertEquals([event, told], ["error", sinks.err]);
      }
    } finally {
      Deno.chdir(before);
      await Deno.remove(directory, { recursive: true });
    }
  },
);
