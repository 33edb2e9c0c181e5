/**
 * Listings of directories.
 *
 * @module
 */
import { S_IF } from "../../src/base/file_flags.ts";
import { claim, same, sameItems } from "../check.ts";
import type { ProgramDirectory } from "../program.ts";
import { nameOf, type Step, type Trial } from "../trial.ts";

/** Holds a few short names. */
const SMALL_BUFFER = 512;
const TYPE_SHIFT = 12;

export const LISTING_STEPS: readonly Step[] = [
  {
    name: "a list agrees with stat(2), with buffers of any size",
    needs: ["writing"],
    async run(trial) {
      const names = Array.from({ length: 60 }, (_, at) => `name${at}`);
      for (const [at, name] of names.entries()) {
        if (at % 3 === 0) await trial.makeDirectory(name);
        else await trial.make(name);
      }
      await trial.forget();
      for (const bytes of [SMALL_BUFFER, undefined]) {
        sameItems(await trial.names(trial.directory, bytes), names, "list");
      }
      await agree(trial, trial.directory);
    },
  },
  {
    name: "names that stay are listed once while others come and go",
    needs: ["writing"],
    async run(trial) {
      const { program, rules: { names: count } } = trial;

      for (let at = 0; at < count; at++) await trial.make(`name${at}`);
      const directory = await program.opendir(trial.directory);
      const listed: string[] = [];
      let step = 0;
      for (;;) {
        const some = await directory.read(4096);
        if (some.length === 0) break;
        listed.push(...some.map((entry) => nameOf(entry.name)));
        claim(listed.length < 3 * count + 100, "the list does not end");
        // Even names stay; odd ones go, new ones come.
        const gone = 2 * trial.random.below(count / 2) + 1;
        await program.unlink(trial.at(`name${gone}`)).catch(() => {});
        await trial.make(`new${step++}`);
      }
      directory.close();
      const times = new Map<string, number>();
      for (const item of listed) times.set(item, (times.get(item) ?? 0) + 1);
      for (let at = 0; at < count; at += 2) {
        same(times.get(`name${at}`) ?? 0, 1, `times name${at} is listed`);
      }
      for (const [item, found] of times) {
        same(found, 1, `times ${item} is listed`);
      }
    },
  },
  {
    name: "a list that is read again from the start shows what is new",
    needs: ["writing"],
    async run(trial) {
      await trial.make("old");
      const directory = await trial.program.opendir(trial.directory);
      sameItems(await rest(directory), [".", "..", "old"], "first list");
      await trial.make("new");
      await trial.program.unlink(trial.at("old"));
      directory.seek(0n);
      sameItems(await rest(directory), [".", "..", "new"], "second list");
      directory.close();
    },
  },
];

/** Claims that each entry of a directory has the inode and type that it says. */
export async function agree(trial: Trial, path: string): Promise<void> {
  for (const { name, ino, type } of await trial.entries(path)) {
    const text = nameOf(name);
    if (text === "." || text === "..") {
      same(type << TYPE_SHIFT, S_IF.DIR, `type of ${text} in the list`);
      continue;
    }
    const inside = path === "" ? text : `${path}/${text}`;
    const status = await trial.program.lstat(inside);
    same(ino, status.ino, `inode number of ${text} in the list`);
    const isKnown = type !== 0;
    if (!isKnown) continue;
    same(
      type << TYPE_SHIFT,
      status.mode & S_IF.MT,
      `type of ${text} in the list`,
    );
  }
}

async function rest(directory: ProgramDirectory): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const some = await directory.read();
    if (some.length === 0) return names;
    names.push(...some.map(({ name }) => nameOf(name)));
  }
}
