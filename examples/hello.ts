// deno-lint-ignore-file no-console -- a program that talks to a terminal
/**
 * The smallest file system: one plain file with a greeting.
 *
 * ```sh
 * touch hello.txt
 * deno run --allow-ffi examples/hello.ts hello.txt &
 * cat hello.txt
 * ```
 *
 * @module
 */
import { mountHandler, type RequestHandler } from "@mqfuse/mqfuse";
import { accessors, ERRNO, OPCODES, S_IF } from "@mqfuse/mqfuse/protocol";

const READ_IN = accessors("fuse_read_in");
const TEXT = new TextEncoder().encode("Hello from TypeScript\n");

const hello: RequestHandler = {
  handle(request, reply) {
    switch (request.opcode) {
      case OPCODES.GETATTR.opcode:
        return reply.struct("fuse_attr_out", {
          attr: { mode: S_IF.REG | 0o444, nlink: 1, size: BigInt(TEXT.length) },
        });
      case OPCODES.READ.opcode: {
        const offset = READ_IN.number.offset(request.body);
        const end = offset + READ_IN.get.size(request.body);
        const bytes = TEXT.subarray(offset, end);
        reply.data.set(bytes);
        return reply.ok(bytes.length);
      }
      default:
        // The kernel does not send this request again.
        return reply.error(ERRNO.ENOSYS);
    }
  },
};

if (import.meta.main) {
  const session = await mountHandler({
    handler: hello,
    mountpoint: Deno.args[0] ?? "hello.txt",
    root: "file",
  });
  console.log(`Now read ${session.mountpoint}; press Ctrl-C to stop`);
  Deno.addSignalListener("SIGINT", () => session.close());
  await session.closed;
  Deno.exit();
}
