/**
 * Scripts on the real kernel: mounted by this process, used by the client.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { MemoryFs } from "../../examples/memory.ts";
import { FileSystemHandler } from "../../src/filesystem/file_system_handler.ts";
import { FILE_SYSTEM_FLAGS } from "../../src/filesystem/init_flags.ts";
import { mountExport, mountHandler } from "../../mod.ts";
import { PatternBackend } from "../../src/backends/protocols/pattern.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { TraceRecord } from "../../src/protocol/trace_record.ts";
import { clearMounts, eventually, pause, within } from "../mount/_harness.ts";
import type { ClientAnswer, ClientJob } from "./_client.ts";
import type { Script, ScriptMount, Step, StepResult } from "./step.ts";
import { type Run, TREE_TIME } from "./stream.ts";

const CLIENT = new URL("./_client.ts", import.meta.url).pathname;
/** Seconds after which the client ends even if this process has died. */
const CLIENT_S = 220;
/** Longest time for one script. */
const SCRIPT_MS = 10_000;
/** The kernel caches attributes and entries for a second. */
const CACHED_MS = 800;
const TRIES = 5;
/** FORGET follows the last RELEASE at once, but no event marks the last one. */
const FORGET_MS = 20;

/** A run, and whether it can be compared. */
interface RealRun extends Run {
  readonly elapsedMs: number;
  /** Whether the mount existed until the end. */
  readonly stayed: boolean;
}

/** The client's process. */
class Client {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  constructor() {
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

  async ask(job: ClientJob): Promise<ClientAnswer> {
    const line = `${JSON.stringify(job)}\n`;
    await this.#input.write(new TextEncoder().encode(line));
    const answer = this.#output.read();
    const { value } = await within(answer, "the client", SCRIPT_MS);
    if (value === undefined) throw new Error("The client has died");
    return JSON.parse(value);
  }

  async close(): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#output.cancel();
    await this.#child.status;
  }
}

/** The real kernel, and a client of it. */
export class RealKernel implements AsyncDisposable {
  readonly #file: string;
  readonly #directory: string;
  #client = new Client();

  private constructor(directory: string) {
    this.#file = `${directory}/mnt.img`;
    this.#directory = `${directory}/mnt`;
  }

  /**
   * Starts the client.
   *
   * @param directory An empty directory for the mountpoints.
   */
  static async start(directory: string): Promise<RealKernel> {
    const kernel = new RealKernel(directory);
    await Deno.writeTextFile(kernel.#file, "underneath");
    await Deno.mkdir(kernel.#directory);
    // Other users must be able to reach the mount.
    await Deno.chmod(directory, 0o755);
    return kernel;
  }

  /** Runs a script, and repeats it if it took too long to be compared. */
  async run(script: Script): Promise<Run> {
    const slept = script.steps.reduce(
      (sum, [call, ms]) => call === "sleep" ? sum + ms : sum,
      0,
    );
    for (let left = TRIES - 1;; left--) {
      const { elapsedMs, stayed, ...run } = await this.#runOnce(script);
      const isFast = elapsedMs - slept < CACHED_MS;
      if ((stayed && isFast) || left === 0) return run;
    }
  }

  async #runOnce({ mount, steps }: Script): Promise<RealRun> {
    const mountpoint = mount.kind === "tree" ? this.#directory : this.#file;
    const records: TraceRecord[] = [];
    try {
      await using session = await mountScript(mount, mountpoint, records);
      // Other tests may unmount all FUSE mounts.
      let stayed = true;
      session.closed.then(() => stayed = false);
      const root = session.mountpoint;
      const answer = await this.#ask({ root, steps }, mountpoint);
      const opened = countOpened(steps, answer.results);
      await eventually(
        () => !stayed || isSettled(records, opened),
        "RELEASE",
      );
      if (mount.kind === "tree") await pause(FORGET_MS);
      return { records: [...records], ...answer, stayed };
    } finally {
      clearMounts(mountpoint);
    }
  }

  async #ask(job: ClientJob, mountpoint: string): Promise<ClientAnswer> {
    try {
      return await this.#client.ask(job);
    } catch (error) {
      // Frees a client that waits for an answer. What it prints late must not be
      // taken for the answer to the next script.
      clearMounts(mountpoint);
      await this.#client.kill();
      this.#client = new Client();
      throw error;
    }
  }

  /** Ends the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearMounts(this.#file);
    clearMounts(this.#directory);
    await this.#client.close();
  }
}

/** Mounts what a script needs, and records its messages. */
async function mountScript(
  mount: ScriptMount,
  mountpoint: string,
  records: TraceRecord[],
) {
  const common = {
    mountpoint,
    trace: (record: TraceRecord) => void records.push(record),
    transport: "device" as const,
  };
  if (mount.kind === "tree") {
    const now = () => TREE_TIME;
    return await mountHandler({
      ...common,
      handler: new FileSystemHandler(new MemoryFs(now), { now }),
      allowOther: "on",
      writable: true,
      wanted: { flags: FILE_SYSTEM_FLAGS },
    });
  }
  const { kind: _, backend, size, allowOther, cache, ...rules } = mount;
  const isCached = cache === "reads";
  const image = `${mountpoint}.image`;
  if (isCached) await Deno.writeFile(image, patternOf(size));
  return await mountExport({
    ...common,
    ...rules,
    ...isCached ? { cache: "auto" } : {},
    source: isCached ? image : `${backend}:${size}`,
    allowOther: allowOther ? "on" : "off",
  });
}

/** The bytes of a pattern disk. */
function patternOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  new PatternBackend(size).read(0, bytes, 0, size);
  return bytes;
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

/** How many files and directories the client has opened. */
function countOpened(
  steps: readonly Step[],
  results: readonly StepResult[],
): number {
  return steps.filter(([call], i) =>
    (call === "open" || call === "opendir") && typeof results[i] !== "string"
  ).length;
}

/**
 * Whether everything that was opened has been released. Records come from the
 * Workers as messages, later than the client's answer.
 */
function isSettled(
  records: readonly TraceRecord[],
  opened: number,
): boolean {
  const count = (opcodes: readonly number[]) =>
    records.filter(({ opcode, direction, errno }) =>
      opcodes.includes(opcode) && direction === "->" && (errno ?? 0) === 0
    ).length;
  const opens = count(OPENING);
  return opens >= opened && opens === count(CLOSING);
}
