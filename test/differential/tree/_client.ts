/**
 * The client program on the real kernel: reads scripts as lines of JSON, prints
 * a line of results for each. A process of its own, because whoever serves a
 * mount must not use it.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { CallError, openSyscalls } from "../_syscalls.ts";
import { RealTreeCalls } from "./_calls.ts";
import { carryOut, type TreeStep } from "./step.ts";

/** What the client is told to do. */
export interface TreeJob {
  /** The mountpoint. */
  readonly root: string;
  readonly steps: readonly TreeStep[];
}

/** What it says in return. */
export interface TreeAnswer {
  /** What each step came to; an errno as a name. */
  readonly results: readonly unknown[];
  /** How long they took. */
  readonly elapsedMs: number;
}

async function main(): Promise<void> {
  const call = openSyscalls();
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const { root, steps }: TreeJob = JSON.parse(line);
    const calls = new RealTreeCalls(root, call);
    const results: unknown[] = [];
    const start = performance.now();
    for (const step of steps) {
      try {
        results.push(await carryOut(calls, step));
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        results.push(error.message);
      }
    }
    calls.finish();
    const elapsedMs = performance.now() - start;
    const answer: TreeAnswer = { results, elapsedMs };
    const text = `${JSON.stringify(answer)}\n`;
    await Deno.stdout.write(new TextEncoder().encode(text));
  }
}

if (import.meta.main) await main();
