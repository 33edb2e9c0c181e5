/**
 * Scripts on the real kernel: tree_fs mounted by this process, used by another.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { TREE_FS_FLAGS, TreeFs } from "../../../examples/tree_fs/tree_fs.ts";
import type { TraceRecord } from "../../../src/protocol/trace_record.ts";
import { OPCODES } from "../../../src/protocol/opcodes.ts";
import { mountHandler } from "../../../src/session/mount_handler.ts";
import { clearMounts, eventually, within } from "../../mount/_harness.ts";
import type { TreeAnswer, TreeJob } from "./_client.ts";
import { START, type TreeRun } from "./compare.ts";
import type { TreeScript } from "./step.ts";

const CLIENT = new URL("./_client.ts", import.meta.url).pathname;
/** Longest life of the client, should this process die. */
const CLIENT_S = 100;
/** Longest time for one script. */
const SCRIPT_MS = 10_000;
/** Entries are believed for a second: slower runs say nothing of them. */
const BELIEVED_MS = 800;
const TRIES = 5;
/** What follows the last RELEASE comes at once, but nothing says when. */
const FORGET_MS = 20;

/** The real kernel, and a client of it. */
export class RealTree implements AsyncDisposable {
  readonly #mountpoint: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  /**
   * Starts the client.
   *
   * @param mountpoint An empty directory.
   */
  constructor(mountpoint: string) {
    this.#mountpoint = mountpoint;
    const deno = ["run", "--no-prompt", "--allow-ffi", CLIENT];
    this.#child = new Deno.Command("timeout", {
      args: ["-k", "2", `${CLIENT_S}`, Deno.execPath(), ...deno],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** Runs a script, again if it took too long to be comparable. */
  async run(script: TreeScript): Promise<TreeRun> {
    const slept = script.steps.reduce(
      (sum, [call, ms]) => call === "sleep" ? sum + Number(ms) : sum,
      0,
    );
    for (let left = TRIES - 1;; left--) {
      const { elapsedMs, ...run } = await this.#runOnce(script);
      if (elapsedMs - slept < BELIEVED_MS || left === 0) return run;
    }
  }

  async #runOnce(
    { steps }: TreeScript,
  ): Promise<TreeRun & { elapsedMs: number }> {
    const records: TraceRecord[] = [];
    try {
      await using session = await mountHandler({
        handler: new TreeFs({ now: () => START }),
        mountpoint: this.#mountpoint,
        allowOther: "on",
        writable: true,
        wanted: { flags: TREE_FS_FLAGS },
        trace: (record) => void records.push(record),
      });
      const root = session.mountpoint;
      const answer = await this.#ask({ root, steps });
      await eventually(() => isSettled(records), "RELEASE");
      await new Promise((resolve) => setTimeout(resolve, FORGET_MS));
      return { records: [...records], ...answer };
    } finally {
      clearMounts(this.#mountpoint);
    }
  }

  async #ask(job: TreeJob): Promise<TreeAnswer> {
    const line = `${JSON.stringify(job)}\n`;
    await this.#input.write(new TextEncoder().encode(line));
    try {
      const answer = this.#output.read();
      const { value } = await within(answer, "the client", SCRIPT_MS);
      if (value === undefined) throw new Error("The client has died");
      return JSON.parse(value);
    } catch (error) {
      // Frees a client that waits for an answer.
      clearMounts(this.#mountpoint);
      throw error;
    }
  }

  /** Ends the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearMounts(this.#mountpoint);
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }
}

const OPENING: readonly number[] = [
  OPCODES.OPEN.opcode,
  OPCODES.OPENDIR.opcode,
  OPCODES.CREATE.opcode,
];
const CLOSING: readonly number[] = [
  OPCODES.RELEASE.opcode,
  OPCODES.RELEASEDIR.opcode,
];

/** Whether nothing more is to come, once the client has closed everything. */
function isSettled(records: readonly TraceRecord[]): boolean {
  const count = (opcodes: readonly number[]) =>
    records.filter(({ opcode, direction, errno }) =>
      opcodes.includes(opcode) && direction === "->" && (errno ?? 0) === 0
    ).length;
  return count(OPENING) === count(CLOSING);
}
