/**
 * Exchanges two names as fast as it can, until it is killed.
 * Arguments: the two paths.
 *
 * @module
 */
import { RENAME } from "../../src/base/file_flags.ts";
import { AT_FDCWD } from "../../src/linux/syscall/descriptor.ts";
import { cString } from "../../src/linux/syscall/ffi_values.ts";

const { symbols: { renameat2 } } = Deno.dlopen("libc.so.6", {
  renameat2: {
    parameters: ["i32", "buffer", "i32", "buffer", "u32"],
    result: "i32",
  },
});
const [one, other] = [cString(Deno.args[0]!), cString(Deno.args[1]!)];
await Deno.stdout.write(new Uint8Array([0]));
// It fails while one of them is mounted on.
for (;;) renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME.EXCHANGE);
