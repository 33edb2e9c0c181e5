/**
 * Writes to a file, args[0], where no thread can be started after the C
 * library's have ended, although Deno's pool still has one. Prints the results.
 *
 * @module
 */
import { writeAllInPool } from "../../src/linux/io/pool_calls.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../src/linux/syscall/descriptor.ts";

/** More than the second after which an idle thread of glibc ends. */
const IDLE_MS = 2500;

const fd = openDescriptor(Deno.args[0]!, OPEN.RDWR);
const write = (position: number) => ({
  position,
  bytes: new TextEncoder().encode(`${position}`),
});
const before = await writeAllInPool(fd, [write(0), write(1)]);
// Limits do not count for a process that is root, but this one is not.
await new Deno.Command("prlimit", {
  args: ["--nproc=1:", `--pid=${Deno.pid}`],
}).output();
await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
const after = await writeAllInPool(fd, [write(2), write(3)]);
closeDescriptor(fd);
console.log(JSON.stringify([before, after]));
