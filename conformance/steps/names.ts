/**
 * Names: they are added and removed, and may have any bytes but `/` and NUL.
 *
 * @module
 */
import { O } from "../../src/base/file_flags.ts";
import { fails, same, sameBytes, sameItems } from "../check.ts";
import { pattern, type Step } from "../trial.ts";

export const NAME_STEPS: readonly Step[] = [
  {
    name: "a name is missing before it is made and after it is removed",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      const path = trial.at("f");
      await fails(program.stat(path), "ENOENT", "stat of a missing name");
      await fails(program.open(path), "ENOENT", "open of a missing name");
      await fails(program.unlink(path), "ENOENT", "unlink of a missing name");
      await trial.make("f");
      same((await program.stat(path)).size, 0, "size of an empty file");
      await program.unlink(path);
      await fails(program.stat(path), "ENOENT", "stat of a removed name");
      await trial.make("f", pattern(5, 1));
      await trial.forget();
      same((await program.stat(path)).size, 5, "size of a file made again");
      sameItems(await trial.names(trial.directory), ["f"], "list");
    },
  },
  {
    name: "open(2) with O_CREAT, O_EXCL and O_TRUNC",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      const bytes = pattern(1000, 2);
      const path = await trial.make("f", bytes);
      const excl = program.open(path, O.CREAT | O.EXCL | O.RDWR);
      await fails(excl, "EEXIST", "O_EXCL of an existing name");
      await (await program.open(path, O.CREAT | O.RDWR)).close();
      sameBytes(await trial.contents(path), bytes, "after O_CREAT");
      await (await program.open(path, O.CREAT | O.TRUNC | O.RDWR)).close();
      same((await program.stat(path)).size, 0, "size after O_TRUNC");
      const inside = program.open(`${path}/g`, O.CREAT | O.RDWR);
      await fails(inside, "ENOTDIR", "a name below a file");
      const nowhere = program.open(trial.at("d/g"), O.CREAT | O.RDWR);
      await fails(nowhere, "ENOENT", "a name in a missing directory");
    },
  },
  {
    name: "mkdir(2), rmdir(2) and unlink(2) with the wrong kind of name",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      const directory = await trial.makeDirectory("d");
      const file = await trial.make("d/f");
      await fails(program.mkdir(directory), "EEXIST", "mkdir again");
      await fails(program.mkdir(file), "EEXIST", "mkdir of a file's name");
      const full = ["ENOTEMPTY", "EEXIST"] as const;
      await fails(program.rmdir(directory), full, "rmdir of a full directory");
      await fails(program.rmdir(file), "ENOTDIR", "rmdir of a file");
      const kinds = ["EISDIR", "EPERM"] as const;
      await fails(program.unlink(directory), kinds, "unlink of a directory");
      same((await trial.names(directory)).length, 1, "names that are left");
      await program.unlink(file);
      await program.rmdir(directory);
      await fails(program.stat(directory), "ENOENT", "stat after rmdir");
      await trial.makeDirectory("d");
      same(
        (await trial.names(directory)).length,
        0,
        "names in a new directory",
      );
    },
  },
  {
    name: "names with any characters are kept as they are",
    needs: ["writing"],
    async run(trial) {
      const names = [
        "a b",
        ".hidden",
        "-",
        "back\\slash",
        "line\nbreak",
        "tab\t\u0001",
        "e\u0301",
        "\u00e9",
        "\u65e5\u672c\u8a9e",
        "\u{1f600}",
        "\ufeffmark",
        "CASE",
        "case",
      ];
      await keepsNames(names, trial);
    },
  },
  {
    name: "names with bytes that are not UTF-8 are kept as they are",
    needs: ["writing", "names that are not UTF-8"],
    async run(trial) {
      // The bytes 0xff; "a", 0xc3, "b"; the first two of U+20AC; 0x80 twice.
      const names = ["\udcff", "a\udcc3b", "\udce2\udc82", "\udc80\udc80x"];
      await keepsNames(names, trial);
    },
  },
  {
    name: "the longest names work, and longer ones fail with ENAMETOOLONG",
    needs: ["writing"],
    async run(trial) {
      const { program, rules: { nameMax } } = trial;
      const wide = "\u00e9".repeat(Math.floor(nameMax / 2));
      await keepsNames(["n".repeat(nameMax), wide], trial);
      const path = trial.at("n".repeat(nameMax + 1));
      const made = program.open(path, O.CREAT | O.RDWR);
      await fails(made, "ENAMETOOLONG", "a name that is too long");
      await fails(program.mkdir(path), "ENAMETOOLONG", "mkdir of such a name");
    },
  },
];

async function keepsNames(
  names: readonly string[],
  trial: Parameters<Step["run"]>[0],
): Promise<void> {
  const { program } = trial;
  for (const [at, name] of names.entries()) {
    await trial.make(name, pattern(10 + at, at));
  }
  await trial.forget();
  sameItems(await trial.names(trial.directory), names, "list");
  for (const [at, name] of names.entries()) {
    const found = await trial.contents(trial.at(name));
    sameBytes(found, pattern(10 + at, at), `contents of ${name}`);
  }
  for (const name of names) await program.unlink(trial.at(name));
  sameItems(await trial.names(trial.directory), [], "list at the end");
}
