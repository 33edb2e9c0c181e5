import { assertEquals, assertThrows } from "@std/assert";
import {
  type OptionName,
  OPTIONS,
  UsageError,
} from "../../src/cli/arguments/options.ts";
import { readArguments } from "../../src/cli/arguments/read_arguments.ts";

const ALL = Object.keys(OPTIONS) as OptionName[];

/** The arguments in a form that can be compared. */
function read(...args: string[]) {
  const { flags, values, operands } = readArguments(args, ALL);
  return {
    flags: [...flags] as string[],
    values: Object.fromEntries(values),
    operands,
  };
}

function refusal(...args: string[]): string {
  return assertThrows(() => readArguments(args, ALL), UsageError).message;
}

Deno.test("readArguments() accepts operands and options in any order", () => {
  const expected = {
    flags: ["writable", "json"],
    values: { queues: "4" },
    operands: ["disk.img", "mnt.img"],
  };
  const lines = [
    "-w --json -q 4 disk.img mnt.img",
    "disk.img mnt.img --writable --json --queues=4",
    "disk.img --json -wq4 mnt.img",
    "-wq=4 disk.img --json -- mnt.img",
    "--queues 2 disk.img -w --json mnt.img --queues 4",
  ];
  for (const line of lines) assertEquals(read(...line.split(" ")), expected);
});

Deno.test("readArguments() leaves values as they were written", () => {
  assertEquals(read("--size", "-1").values, { size: "-1" });
  assertEquals(read("--size=1e3").values, { size: "1e3" });
  assertEquals(read("-P-").values, { pidfile: "-" });
  assertEquals(read("-Prun/a=b").values, { pidfile: "run/a=b" });
  assertEquals(read("-P", "--json").values, { pidfile: "--json" });
  assertEquals(read("--pidfile", "--").values, { pidfile: "--" });
  assertEquals(read("--pidfile=a\nb").values, { pidfile: "a\nb" });
});

Deno.test("readArguments() reads everything after -- as operands", () => {
  assertEquals(read("--", "-w", "--size", "007").operands, [
    "-w",
    "--size",
    "007",
  ]);
  assertEquals(read("-", "1.50", "").operands, ["-", "1.50", ""]);
});

Deno.test("readArguments() names the nearest option", () => {
  const cases = [
    ["--writeable", "Unknown option --writeable: did you mean --writable?"],
    ["--queus=4", "Unknown option --queus: did you mean --queues?"],
    ["--grow", "Unknown option --grow: did you mean --growable?"],
    ["--Json", "Unknown option --Json: did you mean --json?"],
    ["--no-json", "Unknown option --no-json: --help lists the options"],
    ["--bandwidth", "Unknown option --bandwidth: --help lists the options"],
    ["-x", "Unknown option -x: --help lists the options"],
    ["-wx", "Unknown option -x: --help lists the options"],
  ];
  for (const [arg, expected] of cases) assertEquals(refusal(arg!), expected);
});

Deno.test("readArguments() refuses missing and extra values", () => {
  const lacking = "Cannot use --size without a value: write --size=SIZE";
  assertEquals(refusal("--size"), lacking);
  assertEquals(refusal("--size="), lacking);
  assertEquals(refusal("--size", ""), lacking);
  assertEquals(
    refusal("-wq"),
    "Cannot use --queues without a value: write --queues=N",
  );
  assertEquals(
    refusal("--json=yes"),
    'Cannot use --json=yes: --json takes no value; leave "=yes" out',
  );
});

Deno.test("readArguments() reads an option whose value may be left out", () => {
  assertEquals(read("--stats", "5").values, { stats: "1" });
  assertEquals(read("--stats=5").values, { stats: "5" });
  assertEquals(
    refusal("--stats="),
    "Cannot use --stats without a value: write --stats=SECONDS",
  );
});
