import { assertRejects } from "@std/assert";
import { hello } from "../../examples/hello.ts";
import { UserError } from "../../src/base/user_error.ts";
import { mountTree } from "../../src/cli/trees/mount_tree.ts";

for (
  const [name, options] of [
    ["passthrough", { passthrough: "on" }],
    ["direct-writes", { directWrites: "kernel" }],
  ] as const
) {
  Deno.test(`${name} is refused for a tree that has no files of this machine`, async () => {
    await assertRejects(
      () => mountTree(hello, "zip:a.zip", "/nowhere", options),
      UserError,
      `Cannot mount zip:a.zip with ${name}: `,
    );
  });
}
