/**
 * A program that mounts something and ends without closing the session. It
 * prints a line when it serves, and then waits for a line.
 *
 * @module
 */
import { mountExport, mountHandler } from "../../mod.ts";

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const [mountpoint, what, how] = Deno.args;

if (how === "goes on") {
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    say("went on");
  });
}
const session = what === "handler"
  ? await mountHandler({
    handler: { handle: (_request, reply) => reply.error(38) },
    root: "file",
    mountpoint: mountpoint!,
  })
  : await mountExport({
    source: "memory:1M",
    mountpoint: mountpoint!,
    queues: 2,
  });
say(`mounted ${session.mountpoint}`);
await Deno.stdin.read(new Uint8Array(1));

switch (how) {
  case "exits":
    Deno.exit(3);
    break;
  case "throws in a timer":
    setTimeout(() => {
      throw new Error("a mistake in a timer");
    });
    break;
  case "throws":
    throw new Error("a mistake");
  default:
    Promise.reject(new Error("a forgotten promise"));
}
