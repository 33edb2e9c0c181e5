/**
 * rename(2) and renameat2(2).
 *
 * @module
 */
import { O, RENAME } from "../../src/base/file_flags.ts";
import { fails, same, sameBytes, sameItems } from "../check.ts";
import { pattern, readAll, type Step } from "../trial.ts";

export const RENAME_STEPS: readonly Step[] = [
  {
    name: "rename(2) moves a file, and replaces another one",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      const [a, b] = [await trial.make("a", pattern(10, 40)), trial.at("b")];
      const { ino } = await program.stat(a);
      await program.rename(a, b);
      await trial.forget();
      await fails(program.stat(a), "ENOENT", "the old name");
      same((await program.stat(b)).ino, ino, "inode number by the new name");
      await trial.make("a", pattern(20, 41));
      await program.rename(a, b);
      sameBytes(await trial.contents(b), pattern(20, 41), "what replaced it");
      await program.rename(b, b);
      sameItems(await trial.names(trial.directory), ["b"], "list");
      await fails(program.rename(a, b), "ENOENT", "rename of a missing name");
      sameBytes(await trial.contents(b), pattern(20, 41), "after the failure");
    },
  },
  {
    name: "rename(2) moves between directories, with what is below",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      for (const name of ["from", "to", "from/d", "from/d/e"]) {
        await trial.makeDirectory(name);
      }
      await trial.make("from/d/e/f", pattern(10, 42));
      const links = (await program.stat(trial.at("to"))).links;
      await program.rename(trial.at("from/d"), trial.at("to/d2"));
      await trial.forget();
      const moved = await trial.contents(trial.at("to/d2/e/f"));
      sameBytes(moved, pattern(10, 42), "below the new name");
      await fails(program.stat(trial.at("from/d/e")), "ENOENT", "the old path");
      sameItems(await trial.names(trial.at("from")), [], "the old directory");
      sameItems(await trial.names(trial.at("to")), ["d2"], "the new directory");
      const to = await program.stat(trial.at("to"));
      if (links >= 2) same(to.links, links + 1, "links of the new directory");
      await trial.make("to/d2/e/g");
      const up = await program.stat(trial.at("to/d2/.."));
      same(up.ino, to.ino, "inode number of ..");
    },
  },
  {
    name: "rename(2) refuses what does not fit",
    needs: ["writing"],
    async run(trial) {
      const { program } = trial;
      const file = await trial.make("f", pattern(5, 43));
      const empty = await trial.makeDirectory("empty");
      const full = await trial.makeDirectory("full");
      await trial.make("full/x");
      await fails(program.rename(file, empty), "EISDIR", "file to directory");
      await fails(program.rename(empty, file), "ENOTDIR", "directory to file");
      const notEmpty = ["ENOTEMPTY", "EEXIST"] as const;
      await fails(program.rename(empty, full), notEmpty, "to a full directory");
      const below = program.rename(full, trial.at("full/y"));
      await fails(below, "EINVAL", "directory into itself");
      const nowhere = program.rename(file, trial.at("none/f"));
      await fails(nowhere, "ENOENT", "into a missing directory");
      const list = await trial.names(trial.directory);
      sameItems(list, ["empty", "f", "full"], "list after refusals");
      await program.rename(full, empty);
      sameItems(await trial.names(empty), ["x"], "in the empty one's place");
      sameBytes(await trial.contents(file), pattern(5, 43), "the file");
    },
  },
  {
    name: "a file that rename(2) replaces stays open",
    needs: ["writing", "unlinked files"],
    async run(trial) {
      const { program } = trial;
      const old = await trial.make("old", pattern(100, 44));
      const next = await trial.make("next", pattern(50, 45));
      const file = await program.open(old, O.RDONLY);
      await program.rename(next, old);
      await trial.forget();
      const found = new Uint8Array(200);
      same(await readAll(file, found, 0), 100, "size of the replaced file");
      sameBytes(found.subarray(0, 100), pattern(100, 44), "its bytes");
      await file.close();
      sameBytes(await trial.contents(old), pattern(50, 45), "the new file");
    },
  },
  {
    name: "rename(2) of one hard link to another of the same file does nothing",
    needs: ["writing", "hard links"],
    async run(trial) {
      const { program } = trial;
      const [a, b] = [await trial.make("a", pattern(3, 46)), trial.at("b")];
      await program.link(a, b);
      await program.rename(a, b);
      sameItems(await trial.names(trial.directory), ["a", "b"], "list");
      same((await program.stat(a)).links, 2, "links");
    },
  },
  {
    name: "RENAME_NOREPLACE refuses an existing name",
    needs: ["writing", "rename without replacing"],
    async run(trial) {
      const { program } = trial;
      const a = await trial.make("a", pattern(3, 47));
      const b = await trial.make("b", pattern(4, 48));
      const replaced = program.rename(a, b, RENAME.NOREPLACE);
      await fails(replaced, "EEXIST", "an existing name");
      sameBytes(await trial.contents(b), pattern(4, 48), "what is there");
      await program.rename(a, trial.at("c"), RENAME.NOREPLACE);
      sameItems(await trial.names(trial.directory), ["b", "c"], "list");
    },
  },
  {
    name: "RENAME_EXCHANGE exchanges names of any kind",
    needs: ["writing", "exchange"],
    async run(trial) {
      const { program } = trial;
      const file = await trial.make("f", pattern(6, 49));
      await trial.makeDirectory("d");
      const inner = await trial.makeDirectory("d/inner");
      await trial.make("d/inner/x");
      await program.rename(file, inner, RENAME.EXCHANGE);
      await trial.forget();
      sameItems(await trial.names(file), ["x"], "the directory's new place");
      sameBytes(await trial.contents(inner), pattern(6, 49), "the file's");
      const missing = program.rename(file, trial.at("no"), RENAME.EXCHANGE);
      await fails(missing, "ENOENT", "exchange with a missing name");
      sameItems(await trial.names(trial.directory), ["d", "f"], "list");
    },
  },
];
