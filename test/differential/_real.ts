/**
 * Scripts on the real kernel: mounted by this process, used by another one.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import type { TraceRecord } from "../../src/protocol/trace_record.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { mountExport } from "../../src/session/mount_export.ts";
import { clearMounts, eventually, within } from "../mount/_harness.ts";
import type { ClientAnswer, ClientJob } from "./_client.ts";
import type { Run } from "./stream.ts";
import type { Script } from "./step.ts";

const CLIENT = new URL("./_client.ts", import.meta.url).pathname;
/** Longest life of the client, should this process die. */
const CLIENT_S = 120;
/** Longest time for one script. */
const SCRIPT_MS = 10_000;
/** Attributes are believed for a second: slower runs say nothing of them. */
const BELIEVED_MS = 800;
const TRIES = 5;

/** A run, and whether it can be compared. */
interface RealRun extends Run {
  readonly elapsedMs: number;
  /** Whether the mount was there until the end. */
  readonly stayed: boolean;
}

/** The real kernel, and a client of it. */
export class RealKernel implements AsyncDisposable {
  readonly #directory: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#child = new Deno.Command("timeout", {
      args: [
        "-k",
        "2",
        String(CLIENT_S),
        Deno.execPath(),
        "run",
        "--no-prompt",
        "--allow-ffi",
        CLIENT,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /**
   * Starts the client.
   *
   * @param directory An empty directory, for the mountpoint.
   */
  static async start(directory: string): Promise<RealKernel> {
    const kernel = new RealKernel(directory);
    await Deno.writeTextFile(kernel.#mountpoint, "underneath");
    // Other users have to get as far as the mount.
    await Deno.chmod(directory, 0o755);
    return kernel;
  }

  get #mountpoint(): string {
    return `${this.#directory}/mnt.img`;
  }

  /** Runs a script, again if it took too long to be comparable. */
  async run(script: Script): Promise<Run> {
    const asleep = script.steps.some(({ call }) => call === "sleep");
    for (let left = TRIES - 1;; left--) {
      const { elapsedMs, stayed, ...run } = await this.#runOnce(script);
      const counts = stayed && (asleep || elapsedMs < BELIEVED_MS);
      if (counts || left === 0) return run;
    }
  }

  async #runOnce(script: Script): Promise<RealRun> {
    const { backend, size, allowOther, ...rules } = script.mount;
    const records: TraceRecord[] = [];
    try {
      await using session = await mountExport({
        source: `${backend}:${size}`,
        mountpoint: this.#mountpoint,
        transport: "device",
        trace: (record) => void records.push(record),
        allowOther: allowOther ? "on" : "off",
        ...rules,
      });
      // Somebody else may unmount whatever is of FUSE.
      let stayed = true;
      session.closed.then(() => stayed = false);
      const path = session.mountpoint;
      const answer = await this.#ask({ path, steps: script.steps });
      await eventually(() => !stayed || isSettled(records), "RELEASE");
      return { records, ...answer, stayed };
    } finally {
      clearMounts(this.#mountpoint);
    }
  }

  async #ask(job: ClientJob): Promise<ClientAnswer> {
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

/** Whether nothing more is to come, once the client has closed everything. */
function isSettled(records: readonly TraceRecord[]): boolean {
  const count = (opcode: number, direction: "<-" | "->") =>
    records.filter((record) =>
      record.opcode === opcode && record.direction === direction &&
      (record.errno ?? 0) === 0
    ).length;
  return count(OPCODES.OPEN.opcode, "->") ===
    count(OPCODES.RELEASE.opcode, "->");
}
