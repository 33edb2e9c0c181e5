/**
 * Extended attributes.
 *
 * @module
 */
import { XATTR } from "../../src/base/file_flags.ts";
import { claim, fails, same, sameBytes, sameItems } from "../check.ts";
import { pattern, type Step, type Trial } from "../trial.ts";

export const XATTR_STEPS: readonly Step[] = [
  {
    name: "extended attributes have values of any size, told to who asks",
    needs: ["writing", "extended attributes"],
    async run(trial) {
      const { program, rules } = trial;
      for (
        const path of [await trial.make("f"), await trial.makeDirectory("d")]
      ) {
        for (const size of [0, 1, 255, 4000, rules.xattrMax]) {
          if (size > rules.xattrMax) continue;
          const bytes = pattern(size, 50);
          await program.setxattr(path, "user.a", bytes);
          await trial.forget();
          const told = await program.getxattrInto(path, "user.a", 0);
          same(told, size, "size of a value");
          if (size === 0) continue;
          sameBytes(await value(trial, path, size), bytes, "a value");
          if (size === 1) continue;
          const small = program.getxattrInto(path, "user.a", size - 1);
          await fails(small, "ERANGE", "getxattr into a small buffer");
        }
        await program.setxattr(path, "user.a", pattern(3, 51));
        sameBytes(await value(trial, path, 100), pattern(3, 51), "a short one");
      }
    },
  },
  {
    name: "extended attributes come, go and are listed",
    needs: ["writing", "extended attributes"],
    async run(trial) {
      const { program } = trial;
      const path = await trial.make("f");
      const names = ["user.one", "user.two", "user.\u00e9", "user.with.dots"];
      for (const name of names) {
        await fails(program.getxattrInto(path, name, 0), "ENODATA", "missing");
        await program.setxattr(path, name, pattern(5, 52));
      }
      await trial.forget();
      sameItems(await listed(trial, path), names, "names of attributes");
      const small = program.listxattrInto(path, 3);
      await fails(small, "ERANGE", "listxattr into a small buffer");
      await program.removexattr(path, "user.two");
      const removed = program.removexattr(path, "user.two");
      await fails(removed, "ENODATA", "removexattr of a missing one");
      const missing = program.getxattrInto(path, "user.two", 100);
      await fails(missing, "ENODATA", "getxattr of a removed one");
      const left = names.filter((name) => name !== "user.two");
      sameItems(await listed(trial, path), left, "names that are left");
      const other = await trial.make("g");
      sameItems(await listed(trial, other), [], "names of another file");
    },
  },
  {
    name: "XATTR_CREATE and XATTR_REPLACE",
    needs: ["writing", "extended attributes"],
    async run(trial) {
      const { program } = trial;
      const path = await trial.make("f");
      const set = (flags: number, seed: number) =>
        program.setxattr(path, "user.a", pattern(4, seed), flags);
      await fails(
        set(XATTR.REPLACE, 53),
        "ENODATA",
        "REPLACE of a missing one",
      );
      await set(XATTR.CREATE, 54);
      await fails(set(XATTR.CREATE, 55), "EEXIST", "CREATE of an existing one");
      sameBytes(await value(trial, path, 100), pattern(4, 54), "the value");
      await set(XATTR.REPLACE, 56);
      sameBytes(await value(trial, path, 100), pattern(4, 56), "replaced");
    },
  },
];

async function value(
  { program }: Trial,
  path: string,
  size: number,
): Promise<Uint8Array> {
  const found = await program.getxattrInto(path, "user.a", size);
  claim(typeof found !== "number", "getxattr returned a size as a value");
  return found;
}

/** The names of `user.` attributes; systems add others of their own. */
async function listed(
  { program }: Trial,
  path: string,
): Promise<string[]> {
  const size = await program.listxattrInto(path, 0) as number;
  if (size === 0) return [];
  const bytes = await program.listxattrInto(path, size) as Uint8Array;
  same(bytes.length, size, "size of the list");
  const names = new TextDecoder().decode(bytes).split("\0").slice(0, -1);
  return names.filter((name) => name.startsWith("user."));
}
