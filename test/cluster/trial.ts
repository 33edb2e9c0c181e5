/**
 * One trial, in the namespaces that `inside.ts` makes: NAME DIRECTORY SECONDS.
 *
 * @module
 */
import type { Trial } from "./inside.ts";
import { tryCeph } from "./ceph_trial.ts";
import { tryPages } from "./page_trial.ts";
import { tryS3 } from "./s3_trial.ts";

const BODIES: Readonly<Record<string, (trial: Trial) => Promise<void>>> = {
  ceph: tryCeph,
  s3: tryS3,
  pages: tryPages,
};

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Ends this process, and all others of its namespace, with who started it. */
async function endWithParent(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
  Deno.exit(1);
}

const [name = "", directory = "", seconds = ""] = Deno.args;
void endWithParent();
try {
  const tell = (text: string) => print(`${name}: ${text}`);
  await BODIES[name]!({ directory, seconds: Number(seconds), tell });
  Deno.exit(0);
} catch (error) {
  print(`${name}: ${(error as Error).stack ?? error}`);
  Deno.exit(1);
}
