/**
 * The client program on the real kernel. It reads jobs as lines of JSON, makes
 * their system calls, and prints a line of results for each. It is a process of
 * its own, because a process that serves a mount must not use it.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { RealCalls } from "./_real_calls.ts";
import { CallError, openSyscalls, type Syscall } from "./_syscalls.ts";
import { carryOut, type Step, type StepResult } from "./step.ts";

/** One script for the client. */
export interface ClientJob {
  /** The mountpoint: a file, or a directory. */
  readonly root: string;
  readonly steps: readonly Step[];
}

/** What the client prints for it. */
export interface ClientAnswer {
  /** The result of each step. */
  readonly results: readonly StepResult[];
  /** Milliseconds that the script took. */
  readonly elapsedMs: number;
}

const MEMORY_SIZE = 8 << 20;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS_POPULATE = 0x8022;

/** Memory that begins at a page. */
function mapMemory(call: Syscall): Uint8Array<ArrayBuffer> {
  const flags = MAP_PRIVATE_ANONYMOUS_POPULATE;
  const at = call("mmap", 0, MEMORY_SIZE, PROT_READ_WRITE, flags, -1, 0);
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(
    Deno.UnsafePointer.create(BigInt(at))!,
    MEMORY_SIZE,
  ));
}

/** The name of the errno of a call that failed. */
function errnoOf(error: unknown): string | null {
  return error instanceof CallError ? error.message : null;
}

async function main(): Promise<void> {
  const call = openSyscalls();
  const memory = mapMemory(call);
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const { root, steps }: ClientJob = JSON.parse(line);
    const calls = new RealCalls(root, call, memory);
    const results: StepResult[] = [];
    const start = performance.now();
    for (const step of steps) {
      results.push(await carryOut(calls, step, errnoOf));
    }
    calls.finish();
    const elapsedMs = performance.now() - start;
    const answer: ClientAnswer = { results, elapsedMs };
    const text = `${JSON.stringify(answer)}\n`;
    await Deno.stdout.write(new TextEncoder().encode(text));
  }
}

if (import.meta.main) await main();
