import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { parseArgs as reExported } from "@std/cli";

type Options = NonNullable<Parameters<typeof parseArgs>[1]>;

/** Command lines, and the results of the published parseArgs(). */
const CASES: [
  name: string,
  args: string[],
  options: Options,
  expected: Record<string, unknown>,
][] = [
  ["long without value", ["--a", "--b"], {}, { a: true, b: true, _: [] }],
  ["long with next", ["--a", "x", "y"], {}, { a: "x", _: ["y"] }],
  ["long with =", ["--a=x=y"], {}, { a: "x=y", _: [] }],
  ["long with = and dashes", ["--a=---=+"], {}, { a: "---=+", _: [] }],
  ["long with = and nothing", ["--a="], {}, { "a=": true, _: [] }],
  ["long before an empty argument", ["--a", ""], {}, { a: true, _: [""] }],
  ["long of an object's name", ["--toString"], {}, { toString: true, _: [] }],
  ["newline in a value", ["--a=x\ny"], {}, { a: "x\ny", _: [] }],
  ["last value", ["-v", "a", "-v", "b"], {}, { v: "b", _: [] }],

  ["numbers", ["-x", "1e7", "-w", "10f", "--h", "0xff", "789"], {}, {
    x: 1e7,
    w: "10f",
    h: 255,
    _: [789],
  }],
  ["blanks are no number", ["-x", "\t", " "], {}, { x: "\t", _: [" "] }],
  ["negative number is an option", ["--a", "-5"], {}, {
    a: true,
    5: true,
    _: [],
  }],
  ["strings stay", ["-s", "0012", "--t=5"], { string: ["s", "t"] }, {
    s: "0012",
    t: "5",
    _: [],
  }],
  ["string without value", ["--s"], { string: "s" }, { s: "", _: [] }],
  ["strings in a group", ["-art"], { string: ["a", "t"] }, {
    a: "",
    r: true,
    t: "",
    _: [],
  }],
  ["string positionals", ["1", "x"], { string: "_" }, { _: ["1", "x"] }],

  ["group", ["-abc"], {}, { a: true, b: true, c: true, _: [] }],
  ["group with next", ["-fp", "555", "s"], {}, { f: true, p: 555, _: ["s"] }],
  ["short with number", ["-n5"], {}, { n: 5, _: [] }],
  ["short with next number", ["-n", "5"], {}, { n: 5, _: [] }],
  ["short with =", ["-n=5"], {}, { n: 5, _: [] }],
  ["short with ==", ["-e=="], {}, { e: "=", _: [] }],
  ["short with a path", ["-I/a/b"], {}, { I: "/a/b", _: [] }],
  ["group with a path", ["-xyz/a"], {}, { x: true, y: true, z: "/a", _: [] }],
  ["digits", ["-123", "4"], {}, { 1: true, 2: true, 3: 4, _: [] }],
  ["hyphen alone", ["-"], {}, { _: ["-"] }],
  ["hyphen as a value", ["-n", "-"], {}, { n: "-", _: [] }],
  ["hyphen in a group", ["-f-"], {}, { f: "-", _: [] }],
  ["hyphen after a boolean", ["-b", "-"], { boolean: "b" }, {
    b: true,
    _: ["-"],
  }],

  ["boolean takes no value", ["--t", "x"], { boolean: "t" }, {
    t: true,
    _: ["x"],
  }],
  ["boolean takes true and false", ["--v", "false", "-t", "true", "x"], {
    boolean: ["t", "v"],
  }, { v: false, t: true, _: ["x"] }],
  ["boolean with =", ["--a=false", "--b=x"], { boolean: ["a", "b"] }, {
    a: false,
    b: true,
    _: [],
  }],
  ["boolean not given", [], { boolean: "a" }, { a: false, _: [] }],
  ["boolean default", [], { boolean: "a", default: { a: null } }, {
    a: null,
    _: [],
  }],
  ["all boolean", ["--a", "x", "-p", "5", "--t=y"], { boolean: true }, {
    a: true,
    p: 5,
    t: "y",
    _: ["x"],
  }],

  ["alias", ["-h", "x"], { alias: { h: "help" } }, {
    h: "x",
    help: "x",
    _: [],
  }],
  ["aliases", ["--zoom", "5"], { alias: { z: ["zm", "zoom"] } }, {
    z: 5,
    zm: 5,
    zoom: 5,
    _: [],
  }],
  ["alias of a boolean", ["-h", "x"], {
    boolean: "help",
    alias: { h: "help" },
  }, { h: true, help: true, _: ["x"] }],
  ["alias of a string", ["-s", "01"], { string: "str", alias: { str: "s" } }, {
    s: "01",
    str: "01",
    _: [],
  }],
  ["default and alias", [], { default: { a: 1 }, alias: { a: "b" } }, {
    a: 1,
    b: 1,
    _: [],
  }],

  ["not negatable", ["--no-a"], {}, { "no-a": true, _: [] }],
  ["negatable", ["--no-a", "x"], { boolean: "a", negatable: "a" }, {
    a: false,
    _: ["x"],
  }],
  ["negated, then given", ["--no-a", "--a"], {
    boolean: "a",
    negatable: "a",
  }, { a: true, _: [] }],
  ["negated after given", ["-f", "4", "--no-foo"], {
    string: "foo",
    collect: "foo",
    negatable: "foo",
    alias: { foo: "f" },
  }, { foo: false, f: false, _: [] }],

  ["collect", ["--a", "1", "-a", "2"], { collect: "a", string: "a" }, {
    a: ["1", "2"],
    _: [],
  }],
  ["collect undeclared", ["--a", "--a", "--b", "5"], { collect: ["a", "b"] }, {
    a: [true, true],
    b: [5],
    _: [],
  }],
  ["collect nothing", [], { collect: ["a", "b", "c"], string: "a" }, {
    a: [],
    _: [],
  }],
  ["collect with alias", ["-S", "x"], {
    collect: "str",
    string: "str",
    alias: { str: "S" },
  }, { str: ["x"], S: ["x"], _: [] }],
  ["collect default", [], { collect: "a", default: { a: ["x"] } }, {
    a: ["x"],
    _: [],
  }],

  ["double dash", ["-a", "--", "--b", "5"], {}, { a: true, _: ["--b", "5"] }],
  ["double dash apart", ["--n", "J", "x", "--", "y"], { "--": true }, {
    n: "J",
    _: ["x"],
    "--": ["y"],
  }],
  ["double dash apart, absent", ["x"], { "--": true }, { _: ["x"], "--": [] }],
  ["stop early", ["--a", "b", "c", "--d"], { stopEarly: true }, {
    a: "b",
    _: ["c", "--d"],
  }],
  [
    "a bit of everything",
    "--name=m bare -cats woo -h ok --key value -b --no-x -f=a=b -- -q".split(
      " ",
    ),
    {},
    {
      name: "m",
      c: true,
      a: true,
      t: true,
      s: "woo",
      h: "ok",
      key: "value",
      b: true,
      "no-x": true,
      f: "a=b",
      _: ["bare", "-q"],
    },
  ],
];

for (const [name, args, options, expected] of CASES) {
  Deno.test(`parseArgs() parses: ${name}`, () => {
    assertEquals(parseArgs(args, options) as unknown, expected);
  });
}

Deno.test("parseArgs() reports unknown options and leaves them out", () => {
  const calls: unknown[][] = [];
  const result = parseArgs(
    ["--bad", "x", "-d5", "word", "--known", "v", "-h", "--list", "1"],
    {
      string: ["known"],
      boolean: ["help"],
      collect: ["list"],
      alias: { help: "h" },
      unknown: (...call) => {
        calls.push(call);
        return false;
      },
    },
  );
  assertEquals(calls, [["--bad", "bad", "x"], ["-d5", "d", "5"], ["word"]]);
  assertEquals<unknown>(result, {
    known: "v",
    help: true,
    h: true,
    list: [1],
    _: [],
  });
});

Deno.test("parseArgs() knows every long option where all are boolean", () => {
  const calls: unknown[][] = [];
  const unknown = (...call: unknown[]) => calls.push(call) < 0;
  const args = ["--a", "--b=c", "-d", "5"];
  const result = parseArgs(args, { boolean: true, unknown });
  assertEquals(calls, [["--b=c", "b", "c"], ["-d", "d", "5"]]);
  assertEquals<unknown>(result, { a: true, _: [] });
});

Deno.test("parseArgs() keeps unknown options unless the callback returns false", () => {
  const result = parseArgs(["--a=1", "b"], { unknown: () => undefined });
  assertEquals<unknown>(result, { a: 1, _: ["b"] });
});

Deno.test("parseArgs() passes undeclared negated options to the callback", () => {
  const calls: unknown[][] = [];
  const unknown = (...call: unknown[]) => calls.push(call) < 0;
  parseArgs(["--no-a", "--no-b"], { negatable: ["a", "b"], unknown });
  assertEquals(calls, [["--no-a", "a", false], ["--no-b", "b", false]]);
});

Deno.test("parseArgs() does not change its arguments and defaults", () => {
  const args = ["--a", "1", "--", "b"];
  parseArgs(args, { collect: "a" });
  assertEquals(args, ["--a", "1", "--", "b"]);
});

Deno.test("parseArgs() types the declared options", () => {
  const args = parseArgs(["--size=1G", "-v"], {
    boolean: ["verbose"],
    string: ["size", "type", "color", "bind"],
    collect: ["bind"],
    negatable: ["color"],
    alias: { verbose: "v" },
    default: { type: "raw" },
    "--": true,
  });
  const verbose: boolean = args.verbose;
  const v: boolean = args.v;
  const size: string | undefined = args.size;
  const type: string = args.type;
  const color: string | false | undefined = args.color;
  const bind: string[] = args.bind;
  const rest: (string | number)[] = args._;
  const after: string[] = args["--"];
  const other: unknown = args["other"];
  assertEquals([verbose, v, size, type, color], [
    true,
    true,
    "1G",
    "raw",
    undefined,
  ]);
  assertEquals<unknown>([bind, rest, after, other], [[], [], [], undefined]);
});

Deno.test("parseArgs() is the same function at both entry points", () => {
  assertEquals(reExported, parseArgs);
});
