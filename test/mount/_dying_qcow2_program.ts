/**
 * A program that exports a qcow2 image, and whose second Worker ends in the
 * middle of its work: by self.close(), after STEPS changes of shared memory. Its
 * thread goes no further, as if it had been terminated.
 *
 * @module
 */
import { mountExport } from "../../mod.ts";

/** Milliseconds from the Worker's start on in which changes do not count. */
const ARMED_MS = 2000;
const [, , steps, image, mountpoint] = Deno.args;

/** What the Worker runs before its own code. */
const DEATH = `
if (self.name === "mqfuse-q1") {
  const from = performance.now() + ${ARMED_MS};
  let left = ${Number(steps)};
  for (const name of ["store", "add", "compareExchange", "exchange"]) {
    const change = Atomics[name];
    Atomics[name] = (...args) => {
      const result = change(...args);
      const isLast = performance.now() > from && --left === 0;
      if (isLast) {
        self.close();
        // What has begun must not be finished.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      return result;
    };
  }
}
`;

class DeadlyBlob extends Blob {
  constructor(parts: BlobPart[] = [], options: BlobPropertyBag = {}) {
    const isProgram = options.type === "text/javascript";
    super(isProgram ? [DEATH, ...parts] : parts, options);
  }
}

globalThis.Blob = DeadlyBlob;

function tell(event: string, more: Record<string, unknown>): void {
  const line = JSON.stringify({ event, ...more }) + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

const session = await mountExport({
  source: `qcow2:${image}`,
  mountpoint: mountpoint!,
  queues: 4,
  transport: "device",
  writable: true,
  warn: (message) => tell("warning", { message }),
});
Deno.addSignalListener("SIGTERM", () => session.close());
tell("ready", { mountpoint: session.mountpoint, pid: Deno.pid });
const { clean, problems, queues: totals } = await session.closed;
for (const message of problems) tell("problem", { message });
tell("closed", { queues: totals });
Deno.exit(clean ? 0 : 1);
