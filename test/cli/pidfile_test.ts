import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import { Pidfile } from "../../src/cli/service/pidfile.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { inTemporaryDirectory, run } from "../linux/_fixtures.ts";
import { missingPermission, missingProgram, testIf } from "../requirements.ts";

const missing = missingPermission("ffi", "read", "write", "run") ||
  missingProgram("mkfifo");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

function refusal(path: string): string {
  return assertThrows(() => new Pidfile(path), UserError).message;
}

function pidfileTest(
  name: string,
  body: (path: string, directory: string) => void | Promise<void>,
): void {
  testIf(
    missing,
    name,
    () =>
      inTemporaryDirectory((directory) => body(`${directory}/pid`, directory)),
  );
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

pidfileTest("a pidfile is written, and removed at the end", async (path) => {
  const before = Deno.umask(0o027);
  try {
    const pidfile = new Pidfile(path);
    assertEquals(await exists(path), false);
    pidfile.write();
    assertEquals(await Deno.readTextFile(path), `${Deno.pid}\n`);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
    pidfile.remove();
    assertEquals(await exists(path), false);
  } finally {
    Deno.umask(before);
  }
});

pidfileTest("a pidfile in use is refused, a stale one not", async (path) => {
  const first = new Pidfile(path);
  first.write();
  assertEquals(
    refusal(path),
    `Cannot use ${path} as the pidfile: process ${Deno.pid} uses it; end that process or choose another file`,
  );
  // As after a crash: the file stays, its lock does not.
  first.close();
  for (const text of [`${Deno.pid}\n`, `${Deno.ppid}\n`, "1\n", ""]) {
    await Deno.writeTextFile(path, text);
    const next = new Pidfile(path);
    next.write();
    assertEquals(await Deno.readTextFile(path), `${Deno.pid}\n`);
    next.close();
  }
});

pidfileTest(
  "of two starts at the same time, one gets a stale pidfile",
  async (path) => {
    await Deno.writeTextFile(path, "1\n");
    const first = new Pidfile(path);
    assertMatch(refusal(path), /process 1 uses it/);
    first.write();
    assertMatch(refusal(path), new RegExp(`process ${Deno.pid} uses it`));
    first.remove();
  },
);

pidfileTest("of two starts at the same time, one makes the pidfile", (path) => {
  const first = new Pidfile(path);
  const second = new Pidfile(path);
  first.write();
  const { message } = assertThrows(() => second.write(), UserError);
  assertMatch(message, /File exists \(another process has just made it/);
  second.close();
  first.remove();
});

pidfileTest("a pidfile that was replaced or changed stays", async (path) => {
  for (const replace of [true, false]) {
    const pidfile = new Pidfile(path);
    pidfile.write();
    if (replace) await Deno.remove(path);
    await Deno.writeTextFile(path, "another's");
    pidfile.remove();
    assertEquals(await Deno.readTextFile(path), "another's");
    await Deno.remove(path);
  }
});

pidfileTest(
  "what is no pidfile is refused and left alone",
  async (path, directory) => {
    const target = `${directory}/target`;
    await Deno.writeTextFile(target, "1\n");
    const cases: [
      name: string,
      make: () => Promise<unknown>,
      reason: RegExp,
    ][] = [
      // Opening one without O_NONBLOCK would wait for its other end.
      ["a pipe", () => run("mkfifo", path), /is not a plain file/],
      ["a link", () => Deno.symlink(target, path), /is not a plain file/],
      ["a directory", () => Deno.mkdir(path), /is not a plain file/],
      ["a text", () => Deno.writeTextFile(path, "text"), /holds no process id/],
      [
        "more than a number",
        () => Deno.writeTextFile(path, `1\n${" ".repeat(40)}text`),
        /holds no process id/,
      ],
      [
        "many digits",
        () => Deno.writeTextFile(path, "1".repeat(20)),
        /holds no process id/,
      ],
    ];
    for (const [name, make, reason] of cases) {
      await make();
      assertMatch(refusal(path), reason, name);
      assert(await exists(path), name);
      await Deno.remove(path);
    }
    assertEquals(await Deno.readTextFile(target), "1\n");
  },
);
