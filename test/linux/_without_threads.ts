// deno-lint-ignore-file no-console -- a program: its output is its result
/**
 * Writes a file by `writeAllInPool()` as a user who may have no more threads:
 * Deno's pool has one that is idle, and the C library can start none. Prints the
 * results. Its argument is the path of the file.
 *
 * @module
 */
import { writeAllInPool } from "../../src/linux/io/pool_calls.ts";
import { becomeUser } from "../../src/linux/syscall/credentials.ts";
import { OPEN, openDescriptor } from "../../src/linux/syscall/descriptor.ts";
import { pointerOf } from "../../src/linux/syscall/ffi_values.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { inPool } from "../../src/linux/syscall/pool.ts";
import { NOBODY } from "./_nobody.ts";

const RLIMIT_NPROC = 6;

const fd = openDescriptor(Deno.args[0]!, OPEN.RDWR);
const { read_nonblocking, setrlimit } = libc();
// Not by aio(7): the C library would keep a thread for the next call.
const byte = new Uint8Array(1);
await inPool(() => read_nonblocking(fd, pointerOf(byte), 1n), () => -1);
becomeUser({ uid: NOBODY, gid: NOBODY });
if (setrlimit(RLIMIT_NPROC, new BigUint64Array([1n, 1n])) < 0) Deno.exit(1);
const writes = ["abc", "de"].map((text, i) => ({
  position: 3 * i,
  bytes: new TextEncoder().encode(text),
}));
console.log(JSON.stringify(await writeAllInPool(fd, writes)));
Deno.exit(0);
