/** Programs that end without closing their session leave no mount. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { imageIn, isMounted, mountTest } from "./_harness.ts";

const PROGRAM = new URL("./_careless_program.ts", import.meta.url).pathname;

/** How a program ends, with which exit status, and what Deno prints. */
const ENDS = [
  ["exits", 3, ""],
  ["throws in a timer", 1, "a mistake in a timer"],
  ["throws", 1, "a mistake"],
  ["forgets a promise", 1, "a forgotten promise"],
] as const;

/** A running program, which ends at the latest with the test. */
class Careless implements AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(...args: string[]) {
    this.process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-ffi", PROGRAM, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#lines = this.process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#input = this.process.stdin.getWriter();
  }

  async said(text: string): Promise<void> {
    let all = "";
    while (!all.includes(text)) {
      const { value, done } = await this.#lines.read();
      assert(!done, `The program ended after ${all}`);
      all += value;
    }
  }

  async goOn(): Promise<void> {
    await this.#input.write(Uint8Array.of(10));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lines.cancel();
    await this.#input.abort().catch(() => {});
    if (!this.process.stderr.locked) await this.process.stderr.cancel();
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.process.status;
  }
}

for (const what of ["handler", "export"]) {
  mountTest(
    `a program that ends leaves no mount of its ${what}`,
    async (dir) => {
      const { mountpoint } = await imageIn(dir);
      for (const [how, code, message] of ENDS) {
        await using program = new Careless(mountpoint, what, how);
        await program.said("mounted");
        assert(isMounted(mountpoint));
        await program.goOn();
        const stderr = await new Response(program.process.stderr).text();
        assertEquals((await program.process.status).code, code, stderr);
        assertStringIncludes(stderr, message);
        assert(!isMounted(mountpoint), how);
      }
    },
  );
}

mountTest(
  "a program that survives its mistake keeps its mount",
  async (dir) => {
    const { mountpoint } = await imageIn(dir);
    await using program = new Careless(mountpoint, "export", "goes on");
    await program.said("mounted");
    await program.goOn();
    await program.said("went on");
    assert(isMounted(mountpoint));
  },
);
