/**
 * What is there already is read, and what the file system lacks is refused.
 * These steps change nothing.
 *
 * @module
 */
import { O, S_IF } from "../../src/base/file_flags.ts";
import { claim, fails, same, sameBytes, sameItems } from "../check.ts";
import type { Feature } from "../options.ts";
import type { Program } from "../program.ts";
import { nameOf, readAll, type Step, type Trial } from "../trial.ts";
import { agree } from "./listing.ts";

/** How much of a tree is looked at. */
const DIRECTORIES_MAX = 50;
const FILES_MAX = 50;
const BYTES_MAX = 1 << 20;

export const EXISTING_STEPS: readonly Step[] = [
  {
    name: "what is listed is found, with the inode and type of the list",
    needs: [],
    async run(trial) {
      for (const path of await directories(trial)) {
        await agree(trial, path);
        const whole = await trial.names(path);
        sameItems(await trial.names(path, 512), whole, `list of ${path}`);
        const missing = `${path === "" ? "" : `${path}/`}no such name`;
        await fails(trial.program.stat(missing), "ENOENT", "a missing name");
      }
    },
  },
  {
    name: "files that are there read the same in pieces of any size",
    needs: [],
    async run(trial) {
      const { program, random } = trial;
      for (const path of await files(trial)) {
        const { size } = await program.stat(path);
        const file = await program.open(path);
        const whole = new Uint8Array(Math.min(size + 10, BYTES_MAX));
        const count = await readAll(file, whole, 0);
        same(count, Math.min(size, BYTES_MAX), `bytes read of ${path}`);
        for (let call = 0; call < 10; call++) {
          const at = random.below(count + 1);
          const into = new Uint8Array(random.between(1, 5000));
          const read = await readAll(file, into, at);
          const expected = whole.slice(at, Math.min(count, at + read));
          sameBytes(into.subarray(0, expected.length), expected, path);
        }
        await file.close();
        await trial.forget();
        sameBytes(await start(trial, path, count), whole.slice(0, count), path);
      }
    },
  },
];

/** The step that a lacking feature gets: it is refused in words programs know. */
export function refusalStep(feature: Feature): Step | null {
  const attempt = ATTEMPTS[feature];
  if (attempt === undefined) return null;
  return {
    name: `${feature}: what is lacking is refused, and changes nothing`,
    needs: feature === "writing" ? [] : ["writing"],
    async run(trial) {
      const before = await trial.names(trial.directory);
      const refused = attempt(trial.program, (name) => trial.at(name));
      await fails(refused, REFUSALS, feature);
      sameItems(await trial.names(trial.directory), before, "list");
    },
  };
}

const REFUSALS = [
  "EPERM",
  "EROFS",
  "EACCES",
  "EOPNOTSUPP",
  "ENOSYS",
  "EINVAL",
  "EILSEQ",
] as const;

type Attempt = (
  program: Program,
  at: (name: string) => string,
) => Promise<unknown>;

const ATTEMPTS: Readonly<Partial<Record<Feature, Attempt>>> = {
  "writing": (program, at) => program.open(at("new"), O.CREAT | O.WRONLY),
  "symbolic links": (program, at) => program.symlink("target", at("new")),
  "special files": (program, at) => program.mknod(at("new"), S_IF.FIFO | 0o644),
};

/** Directories from the root on, nearest first. */
async function directories(trial: Trial): Promise<string[]> {
  const found = [trial.directory];
  for (const path of found) {
    for (const inside of await children(trial, path, S_IF.DIR)) {
      if (found.length < DIRECTORIES_MAX) found.push(inside);
    }
  }
  return found;
}

async function files(trial: Trial): Promise<string[]> {
  const found: string[] = [];
  for (const path of await directories(trial)) {
    found.push(...await children(trial, path, S_IF.REG));
    if (found.length > FILES_MAX) break;
  }
  // One that can be written to may be empty: other steps make files in it.
  const mayBeEmpty = !trial.rules.lacks.has("writing");
  claim(found.length > 0 || mayBeEmpty, "there is no file to read");
  return found.slice(0, FILES_MAX);
}

async function children(
  trial: Trial,
  path: string,
  type: number,
): Promise<string[]> {
  const found: string[] = [];
  for (const { name } of await trial.entries(path)) {
    const text = nameOf(name);
    if (text === "." || text === "..") continue;
    const inside = path === "" ? text : `${path}/${text}`;
    const { mode } = await trial.program.lstat(inside);
    if ((mode & S_IF.MT) === type) found.push(inside);
  }
  return found;
}

async function start(
  trial: Trial,
  path: string,
  length: number,
): Promise<Uint8Array> {
  const file = await trial.program.open(path);
  const bytes = new Uint8Array(length);
  await readAll(file, bytes, 0);
  await file.close();
  return bytes;
}
