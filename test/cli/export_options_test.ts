import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { EXPORT } from "../../src/cli/commands/export.ts";
import { readExportRequest } from "../../src/cli/commands/export_request.ts";
import { readArguments } from "../../src/cli/arguments/read_arguments.ts";
import { UsageError } from "../../src/cli/arguments/options.ts";

function request(...args: string[]) {
  return readExportRequest(readArguments(args, EXPORT.options));
}

function refusal(...args: string[]): string {
  return assertThrows(() => request(...args), UsageError).message;
}

Deno.test("readExportRequest() reads sizes with suffixes", () => {
  const { mount, ...rest } = request(
    "--offset=1M",
    "--size=512k",
    "-q3",
    "disk.img",
    "mnt.img",
  );
  assertEquals(mount, {
    source: "disk.img",
    mountpoint: "mnt.img",
    queues: 3,
    writable: false,
    growable: false,
    writethrough: false,
    offset: 1048576,
    size: 524288,
    transport: "auto",
    passthrough: "off",
    cache: "none",
    overlayKeep: false,
    pollUs: "auto",
    allowOther: "auto",
    batching: "auto",
    insecurePath: false,
    direct: false,
    loopSafe: false,
    lock: true,
    stopTimeout: 10,
    stats: false,
    control: false,
    wire: false,
  });
  assertEquals(rest, {
    pidfile: null,
    stats: null,
    control: null,
    trace: "off",
  });
});

Deno.test("readExportRequest() makes an export with an overlay writable", () => {
  const { mount } = request("--overlay=over.qcow2", "a", "b");
  assertEquals([mount.overlay, mount.writable], ["over.qcow2", true]);
});

Deno.test("readExportRequest() reads --insecure-path", () => {
  const { mount } = request("--insecure-path", "a", "b");
  assertEquals(mount.insecurePath, true);
});

Deno.test("readExportRequest() reads the choice of the page cache", () => {
  for (const choice of ["none", "auto", "writeback"]) {
    const { cache } = request("-w", `--cache=${choice}`, "a", "b").mount;
    assertEquals(cache, choice);
  }
  assertEquals(
    refusal("--cache=yes", "a", "b"),
    "Cannot use yes (--cache): expected one of none, auto, writeback",
  );
});

Deno.test("readExportRequest() refuses options that exclude a write-back cache", () => {
  const cases: [string[], RegExp][] = [
    [
      [],
      /a read-only export has no writes to cache; set cache to auto or none/,
    ],
    [["-w", "--growable"], /the size of a growable image/],
    [["-w", "--truncate=zero"], /truncate has to be refuse/],
    [["-w", "--truncate=as-qemu"], /truncate has to be refuse/],
    [["-w", "--writethrough"], /durable before it is answered/],
    [["-w", "--loop-safe"], /loop-safe excludes that/],
  ];
  for (const [options, reason] of cases) {
    const text = refusal(...options, "--cache=writeback", "a", "b");
    assertMatch(text, /^Cannot use a write-back cache: /);
    assertMatch(text, reason);
  }
});

Deno.test("readExportRequest() reads the choice of passthrough", () => {
  for (const choice of ["auto", "on", "off"]) {
    const { passthrough } = request(`--passthrough=${choice}`, "a", "b").mount;
    assertEquals(passthrough, choice);
  }
  assertEquals(
    refusal("--passthrough=yes", "a", "b"),
    "Cannot use yes (--passthrough): expected one of auto, on, off",
  );
});

/** Options of the program, not of the library. */
const OF_THE_PROGRAM: readonly string[] = [
  "partitions",
  "pidfile",
  "json",
  "trace",
];

Deno.test("options of export have the names of the library's options", () => {
  const some = [
    "-w",
    "--truncate=zero",
    "--partition=1",
    "--size=1",
    "--queue-memory=1G",
    "--snapshot=s",
    "--backing=raw:b",
    "--allow-reference=/c",
    "--cache-size=1M",
    "--overlay=memory",
    "--reconnect=5",
    "--tls-ca=a.pem",
    "--tls-cert=b.pem",
    "--tls-key=c.pem",
    "--tls-hostname=d",
    "--http-headers-file=f",
    "--netrc=f",
    "--http-proxy=http://p:1",
    "--cache-dir=d",
    "--cache-dir-size=1G",
    "--s3-endpoint=http://s:1",
    "--s3-region=r",
    "--s3-credentials=f",
    "--s3-profile=p",
    "--splice=off",
    "--user=a",
    "--group=b",
    "-onoexec",
    "--uid=0",
    "--gid=0",
    "--mode=600",
  ];
  const { mount } = request(...some, "a", "b");
  const camelCase = (name: string) =>
    name.replace(/^no-/, "").replace(
      /-(.)/g,
      (_, letter) => letter.toUpperCase(),
    );
  const names = EXPORT.options.filter((name) => !OF_THE_PROGRAM.includes(name));
  assertEquals(
    names.map(camelCase).sort(),
    Object.keys(mount).filter((key) => !["source", "mountpoint"].includes(key))
      .sort(),
  );
});

Deno.test("readExportRequest() exports all of the image by default", () => {
  const { offset, size, queues } = request("disk.img", "mnt.img").mount;
  assertEquals([offset, size], [0, undefined]);
  assertEquals(queues, Math.min(navigator.hardwareConcurrency, 4));
});

Deno.test("readExportRequest() refuses texts that are no sizes", () => {
  const expected = "expected digits and one of k, M, G, T, P, E, such as 512M";
  for (const size of ["-1", "1Q", "1.5G", "", " 1", "0x10", "1GiB", "G"]) {
    if (size === "") continue;
    const message = `Cannot read size "${size}": ${expected}`;
    assertEquals(refusal("--size", size, "a", "b"), `${message} (--size)`);
    assertEquals(refusal("--offset", size, "a", "b"), `${message} (--offset)`);
    assertEquals(refusal(`null:${size}`, "b"), `${message} (SOURCE)`);
  }
});

Deno.test("readExportRequest() refuses sizes that are too large or 0", () => {
  for (const size of ["9223372036854775808", "8E", "9007199254740992"]) {
    const message =
      `Cannot use size "${size}": the largest is 2^53 - 1 bytes (8 PiB)`;
    assertEquals(refusal("--size", size, "a", "b"), `${message} (--size)`);
    assertEquals(refusal(`memory:${size}`, "b"), `${message} (SOURCE)`);
  }
  assertEquals(
    refusal("--size=0", "a", "b"),
    "Cannot export 0 bytes of an image (--size=0): use a larger size, or leave --size out to export all of it",
  );
  assertEquals(
    refusal("null:0", "b"),
    'Cannot make an empty disk "null:0": give it a size, such as null:1G (SOURCE)',
  );
});

Deno.test("readExportRequest() refuses one path for two files", () => {
  const cases: [string[], string][] = [
    [["--control=m"], "m for both the mount point and --control"],
    [["--pidfile=m"], "m for both the mount point and --pidfile"],
    [["--control=p", "--pidfile=p"], "p for both --control and --pidfile"],
  ];
  for (const [options, what] of cases) {
    assertEquals(
      refusal(...options, "disk.img", "m"),
      `Cannot use ${what}: give each a path of its own`,
    );
  }
});

Deno.test("readExportRequest() reads the memory of the queues", () => {
  const { mount } = request("-q2", "--queue-memory=64M", "a", "b");
  assertEquals(mount.queueMemory, 64 << 20);
  assertEquals(request("a", "b").mount.queueMemory, undefined);
  assertEquals(
    refusal("-q4", "--queue-memory=1M", "a", "b"),
    "Cannot use 1048576 bytes (--queue-memory): 4 queues need at least 10304K",
  );
});

Deno.test("readExportRequest() refuses impossible numbers of queues", () => {
  for (
    const text of ["0", "1000000", "1.5", "-1", "four", "0x4", "1e1", "NaN"]
  ) {
    assertEquals(
      refusal("--queues", text, "a", "b"),
      `Cannot use ${text} (--queues): expected a whole number from 1 to 64`,
    );
  }
});

Deno.test("readExportRequest() refuses missing and extra operands", () => {
  const usage = "usage: export [OPTIONS] SOURCE MOUNTPOINT";
  assertEquals(refusal(), `Cannot export without a SOURCE; ${usage}`);
  assertEquals(
    refusal("a", ""),
    `Cannot export a without a MOUNTPOINT; ${usage}`,
  );
  assertEquals(
    refusal("a", "b", "c"),
    `Cannot use a third operand, c; ${usage}`,
  );
  assertEquals(
    refusal("-", "b"),
    "Cannot export standard input: SOURCE must be a file or block device; write ./- for a file of that name",
  );
});

Deno.test("readExportRequest() refuses --growable without --writable", () => {
  assertEquals(
    refusal("--growable", "a", "b"),
    "Cannot use --growable without --writable: a read-only image does not grow; add -w",
  );
  assertEquals(request("-w", "--growable", "a", "b").mount.growable, true);
});

Deno.test("readExportRequest() reads what truncating does", () => {
  for (const rule of ["refuse", "zero", "as-qemu"]) {
    const { mount } = request("-w", `--truncate=${rule}`, "a", "b");
    assertEquals(mount.truncate, rule);
  }
  assertEquals(
    refusal("-w", "--truncate=yes", "a", "b"),
    "Cannot use yes (--truncate): expected one of refuse, zero, as-qemu",
  );
  assertEquals(
    refusal("-w", "--growable", "--truncate=zero", "a", "b"),
    "Cannot use --truncate with --growable: a growable image is truncated like any file; leave one of them out",
  );
  assertEquals(
    refusal("--truncate=zero", "a", "b"),
    "Cannot use --truncate without --writable: a read-only image is never truncated; add -w",
  );
});

Deno.test("readExportRequest() traces bytes with --wire", () => {
  assertEquals(request("--trace", "a.img", "m.img").trace, "text");
  assertEquals(request("--wire", "--trace", "a.img", "m.img").trace, "wire");
});

Deno.test("readExportRequest() reads the interval of --stats", () => {
  const { stats } = request("--stats", "a", "b");
  assertEquals(stats, 1);
  assertEquals(request("a", "--stats=2.5", "b").stats, 2.5);
  for (const text of ["0", "x", "-1", "1e3", "86401", "0.01"]) {
    assertEquals(
      refusal(`--stats=${text}`, "a", "b"),
      `Cannot use ${text} (--stats): expected a number of seconds from 0.1 to 86400`,
    );
  }
});

Deno.test("readExportRequest() refuses --writethrough without --writable", () => {
  assertEquals(
    request("-w", "--writethrough", "a", "b").mount.writethrough,
    true,
  );
  assertEquals(
    refusal("--writethrough", "a", "b"),
    "Cannot use --writethrough without --writable: a read-only image has no writes; add -w",
  );
});

Deno.test("readExportRequest() reads the transport", () => {
  const { transport, pollUs } = request(
    "--transport=device",
    "--poll-us=20",
    "a.img",
    "m.img",
  ).mount;
  assertEquals([transport, pollUs], ["device", 20]);
  for (const wrong of ["--transport=tcp", "--poll-us=-1", "--poll-us=fast"]) {
    assertMatch(refusal(wrong, "a.img", "m.img"), /^Cannot .*expected/);
  }
});

Deno.test("readExportRequest() reads from which size on to splice", () => {
  const splice = (text: string) => request(`--splice=${text}`, "a", "b").mount;
  assertEquals(splice("auto").splice, "auto");
  assertEquals(splice("off").splice, "off");
  assertEquals(splice("4k").splice, 4096);
  assertEquals(splice("1M").splice, 1 << 20);
  assertEquals(request("a", "b").mount.splice, undefined);
  for (const wrong of ["on", "0", "4095", "2M", "-1"]) {
    assertMatch(refusal(`--splice=${wrong}`, "a", "b"), /--splice/);
  }
});

Deno.test("readExportRequest() reads who has access", () => {
  for (const choice of ["off", "on", "auto"]) {
    const { allowOther } = request(`--allow-other=${choice}`, "a", "b").mount;
    assertEquals(allowOther, choice);
  }
  assertEquals(
    refusal("--allow-other=yes", "a", "b"),
    "Cannot use yes (--allow-other): expected one of off, on, auto",
  );
});
