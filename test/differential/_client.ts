/**
 * The client program on the real kernel: reads jobs as lines of JSON, carries
 * out their steps, prints a line of results for each. A process of its own,
 * because whoever serves a mount must not use it.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { Calls } from "./_calls.ts";
import { openSyscalls } from "./_syscalls.ts";
import type { Step, StepResult } from "./step.ts";

/** What the client is told to do. */
export interface ClientJob {
  /** The mounted file. */
  readonly path: string;
  readonly steps: readonly Step[];
}

/** What it says in return. */
export interface ClientAnswer {
  /** What each step came to. */
  readonly results: readonly StepResult[];
  /** How long they took. */
  readonly elapsedMs: number;
}

const DATA_SIZE = 8 << 20;
const MAP_PRIVATE_ANONYMOUS_POPULATE = 0x8022;

async function main(): Promise<void> {
  const call = openSyscalls();
  const at = call(
    "mmap",
    0,
    DATA_SIZE,
    3,
    MAP_PRIVATE_ANONYMOUS_POPULATE,
    -1,
    0,
  );
  const pages = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(
    Deno.UnsafePointer.create(BigInt(at))!,
    DATA_SIZE,
  ));
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const job: ClientJob = JSON.parse(line);
    const calls = new Calls(job.path, call, pages);
    const results: StepResult[] = [];
    const start = performance.now();
    for (const step of job.steps) results.push(await calls.run(step));
    calls.finish();
    const elapsedMs = performance.now() - start;
    const answer: ClientAnswer = { results, elapsedMs };
    await Deno.stdout.write(
      new TextEncoder().encode(`${JSON.stringify(answer)}\n`),
    );
  }
}

if (import.meta.main) await main();
