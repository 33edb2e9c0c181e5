import { assert, assertEquals } from "@std/assert";
import { canReadRepository, readRepository } from "./_repository.ts";
import { suiteTexts } from "./_suites.ts";
import {
  type Exceptions,
  findBannedWords,
  findLongFiles,
  findLongLines,
  findNonAscii,
  findPlainUserErrors,
  findUndocumented,
  findWallClock,
} from "./_tidy.ts";

/** Sources that may have more than 400 lines, and why. */
const LONG_FILES: Exceptions = {
  "src/protocol/structs.ts":
    "one table: every wire struct, one row a field, read beside the header",
};

/** Sources whose plain errors refuse a caller's mistake, and which. */
const CALLER_ERRORS: Exceptions = {
  "src/export/async_transfer.ts": "an answer that is awaited twice",
  "src/linux/fuse/fuse_device.ts": "a length that exceeds its buffer",
  "src/linux/io/block_file.ts": "a range that exceeds its buffer",
  "src/linux/syscall/libc.ts": "a C library without errno",
  "src/protocol/codec.ts": "a struct that exceeds its buffer",
  "src/protocol/dirent.ts": "a name that no directory may have",
  "src/protocol/layout.ts": "a table or machine that the wire does not fit",
  "src/queue/ring_files.ts": "an answer that is awaited twice",
};

/** Sources that need the time of day, and what for. */
const TIME_OF_DAY: Exceptions = {
  "bench/exports/main.ts": "the date of the measurement",
  "bench/prediction/machine/run.ts": "the date of the measurement",
  "src/base/timespec.ts": "times of files",
  "src/cli/commands/snapshot.ts": "the time of a snapshot",
  "src/cli/output/log_format.ts": "the time of each line of a log",
  "src/export/export_state.ts": "the time of the last write",
};

/** Sources that may have characters outside of ASCII, and why. */
const NON_ASCII: Exceptions = {};

Deno.test({
  name: "every file of the repository is tidy",
  // why: reading the files needs --allow-read; bare `deno test` has none
  ignore: !canReadRepository(),
  async fn(t) {
    const files = await readRepository();
    assert(files.some(({ path }) => path === "deno.json"));
    await t.step("no source is too long", () => {
      assertEquals(findLongFiles(files, LONG_FILES), []);
    });
    await t.step("no line is too long", () => {
      assertEquals(findLongLines(files), []);
    });
    await t.step("every file is documented", () => {
      assertEquals(findUndocumented(files), []);
    });
    await t.step("no word is out of place", () => {
      assertEquals(findBannedWords(files), []);
    });
    await t.step("sentences for the user are user errors", () => {
      assertEquals(findPlainUserErrors(files, CALLER_ERRORS), []);
    });
    await t.step("the wall clock measures no durations", () => {
      assertEquals(findWallClock(files, TIME_OF_DAY), []);
    });
    await t.step("sources are ASCII", () => {
      assertEquals(findNonAscii(files, NON_ASCII), []);
    });
    await t.step("the suites are those of deno task test:suites", () => {
      const texts = new Map(files.map(({ path, text }) => [path, text]));
      for (const [path, text] of suiteTexts([...texts.keys()])) {
        assertEquals(texts.get(path), text, path);
      }
    });
  },
});

/** Takes `text` for the file at `path`. */
function file(text: string, path = "src/a.ts") {
  return { path, text };
}

Deno.test("findLongFiles() finds long sources and needless exceptions", () => {
  const lines = (count: number) => file("a\n".repeat(count));
  assertEquals(findLongFiles([lines(400)], {}), []);
  assertEquals(findLongFiles([lines(401)], {}).length, 1);
  assertEquals(findLongFiles([lines(401)], { "src/a.ts": "" }), []);
  assertEquals(findLongFiles([lines(400)], { "src/a.ts": "" }).length, 1);
  assertEquals(findLongFiles([file("a\n".repeat(999), "README.md")], {}), []);
});

Deno.test("findLongLines() counts columns outside of string literals", () => {
  assertEquals(findLongLines([file("a".repeat(100))]), []);
  assertEquals(findLongLines([file("\n" + "a".repeat(101))]), [
    "src/a.ts:2: has 101 columns",
  ]);
  assertEquals(findLongLines([file(`  "${"a".repeat(200)}",`)]), []);
});

Deno.test("findUndocumented() finds exports without documentation", () => {
  const documented = [
    "/** The module. */\nexport const a = 1;",
    "import 'x';\n/** A. */\nexport const a = 1;",
    "import 'x';\n/** A. */\n// deno-lint-ignore x\nexport const a = 1;",
    "import 'x';\n/** A. */\nexport function f(): 1;\nexport function f() {}",
    "import 'x';\nexport * from 'x';",
  ];
  for (const text of documented) {
    assertEquals(findUndocumented([file(text)]), [], text);
  }
  for (const kind of ["const a", "class a {}", "type a", "async function a"]) {
    const text = `import 'x';\n\nexport ${kind}`;
    assertEquals(findUndocumented([file(text)]), [
      'src/a.ts:3: "a" has no documentation',
    ]);
    assertEquals(findUndocumented([file(text, "src/a_test.ts")]), []);
  }
});

Deno.test("findBannedWords() finds them in any file", () => {
  const words = [
    ["TO", "DO"],
    ["FIX", "ME"],
    ["../", "shared/x"],
    ["/wo", "rk/x"],
    ["file:///ho", "me/x"],
    ["js", "r.io"],
    ["registry.npm", "js.org"],
  ].map((parts) => parts.join(""));
  for (const word of words) {
    const found = findBannedWords([file(`a\nb ${word} c`, "README.md")]);
    assertEquals(found.length, 1, word);
    assert(found[0]!.startsWith("README.md:2: "), found[0]);
  }
  const fine = "jsr:@std/cli mastodon TODOS net/work/x ./work/x a-FIXMEX";
  assertEquals(findBannedWords([file(fine)]), []);
});

Deno.test("findPlainUserErrors() finds sentences in errors of the language", () => {
  const found = (text: string) => findPlainUserErrors([file(text)], {});
  const thrown = "throw new RangeError(\n  `Cannot use ${text}`,\n);";
  assertEquals(found(`a;\n${thrown}`), [
    "src/a.ts:2: a sentence for the user needs a UserError",
  ]);
  assertEquals(found(thrown.replace("RangeError", "UserError")), []);
  assertEquals(found('new Error("Queue 1 failed")'), []);
  assertEquals(findPlainUserErrors([file(thrown)], { "src/a.ts": "" }), []);
});

Deno.test("findWallClock() finds clocks that may be set", () => {
  const end = "const end = Date.now() + 5;";
  assertEquals(findWallClock([file(`a;\n${end}`)], {}), [
    "src/a.ts:2: Date.now is no clock for durations",
  ]);
  assertEquals(findWallClock([file("new Date()")], {}).length, 1);
  assertEquals(
    findWallClock([file("new Date(ms); performance.now()")], {}),
    [],
  );
  assertEquals(findWallClock([file(end)], { "src/a.ts": "" }), []);
  assertEquals(findWallClock([file(end, "test/a.ts")], {}), []);
});

Deno.test("findNonAscii() finds characters outside of ASCII", () => {
  assertEquals(findNonAscii([file("a\tb\n~")], {}), []);
  assertEquals(findNonAscii([file("a\n\u00b5")], {}), [
    "src/a.ts:2: has U+00b5",
  ]);
  assertEquals(findNonAscii([file("\u00b5")], { "src/a.ts": "" }), []);
  assertEquals(findNonAscii([file("\u00b5", "README.md")], {}), []);
});

Deno.test("suiteTexts() puts each test file into one suite", () => {
  const paths = ["test/a/a_test.ts", "test/mount/b_test.ts", "test/_x.ts"];
  const texts = [...suiteTexts(paths).values()].join("");
  assertEquals([...texts.matchAll(/^import "(.*)";$/gm)].map(([, to]) => to), [
    "../a/a_test.ts",
    "../mount/b_test.ts",
  ]);
});
