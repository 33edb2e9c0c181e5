/**
 * Random work, compared with a model; the seed decides it.
 *
 * @module
 */
import type { ErrnoName } from "../../src/base/errno.ts";
import { O } from "../../src/base/file_flags.ts";
import { claim, fails, same, sameBytes, sameItems } from "../check.ts";
import { pattern, readAll, type Step, type Trial, writeAll } from "../trial.ts";

const FILE_MAX = 200_000;
const FILE_CALLS = 300;
const TREE_CALLS = 400;

export const RANDOM_STEPS: readonly Step[] = [
  {
    name: "random reads, writes and truncations give the bytes of a model",
    needs: ["writing"],
    async run(trial) {
      const { program, random } = trial;
      const path = await trial.make("f");
      let file = await program.open(path, O.RDWR);
      let model = new Uint8Array();
      for (let call = 0; call < FILE_CALLS; call++) {
        const at = random.below(FILE_MAX);
        const what = `call ${call} at ${at}`;
        const choice = random.below(10);
        if (choice < 4) {
          const bytes = pattern(random.below(20_000), call);
          await writeAll(file, bytes, at);
          if (bytes.length > 0) model = written(model, bytes, at);
        } else if (choice < 8) {
          const into = new Uint8Array(random.below(40_000) + 1);
          const count = await readAll(file, into, at);
          sameBytes(
            into.subarray(0, count),
            model.slice(at, at + into.length),
            `read, ${what}`,
          );
        } else if (choice === 8) {
          await file.ftruncate(at);
          model = resized(model, at);
        } else {
          await file.close();
          await trial.forget();
          same((await program.stat(path)).size, model.length, `size, ${what}`);
          file = await program.open(path, O.RDWR);
        }
      }
      await file.close();
      sameBytes(await trial.contents(path), model, "the file at the end");
    },
  },
  {
    name: "random changes of names give the tree of a model",
    needs: ["writing"],
    async run(trial) {
      const model = new TreeModel();
      for (let call = 0; call < TREE_CALLS; call++) {
        await model.change(trial, call);
        if (call % 50 === 49) {
          await trial.forget();
          await model.compare(trial);
        }
      }
    },
  },
];

function written(
  model: Uint8Array,
  bytes: Uint8Array,
  at: number,
): Uint8Array<ArrayBuffer> {
  const next = resized(model, Math.max(model.length, at + bytes.length));
  next.set(bytes, at);
  return next;
}

function resized(model: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(size);
  next.set(model.subarray(0, size));
  return next;
}

/** Files by path with their seed; `null` for a directory. */
class TreeModel {
  readonly #nodes = new Map<string, number | null>();

  /** Makes a random call, which succeeds or fails as it has to. */
  async change(trial: Trial, call: number): Promise<void> {
    const { random, program } = trial;
    const path = this.#pick(trial);
    const error = this.#parentError(path);
    const choice = random.below(6);
    if (choice === 0) {
      const made = program.mkdir(trial.at(path));
      const why = error ?? (this.#nodes.has(path) ? "EEXIST" : null);
      if (await this.#ended(made, why, `mkdir ${path}`)) {
        this.#nodes.set(path, null);
      }
    } else if (choice <= 2) {
      const made = trial.make(path, pattern(20, call));
      const why = error ?? (this.#nodes.has(path) ? "EEXIST" : null);
      if (await this.#ended(made, why, `create ${path}`)) {
        this.#nodes.set(path, call);
      }
    } else if (choice === 3) {
      await this.#remove(trial, path, error);
    } else {
      await this.#rename(trial, path, this.#pick(trial));
    }
  }

  /** Claims that the file system has the tree of the model. */
  async compare(trial: Trial): Promise<void> {
    for (const directory of ["", ...this.#directories()]) {
      const names = this.#below(directory);
      const path = directory === "" ? trial.directory : trial.at(directory);
      sameItems(await trial.names(path), names, `list of ${directory}`);
    }
    for (const [path, seed] of this.#nodes) {
      if (seed === null) continue;
      const found = await trial.contents(trial.at(path));
      sameBytes(found, pattern(20, seed), `contents of ${path}`);
    }
  }

  #pick({ random }: Trial): string {
    const depth = random.between(1, 3);
    const names = Array.from(
      { length: depth },
      () => random.pick("abcd".split("")),
    );
    return names.join("/");
  }

  async #remove(trial: Trial, path: string, error: Failure): Promise<void> {
    const { program } = trial;
    const seed = this.#nodes.get(path);
    const isFull = this.#below(path).length > 0;
    const why = error ?? (seed === undefined ? "ENOENT" : null) ??
      (isFull ? "ENOTEMPTY" : null);
    const done = seed === null
      ? program.rmdir(trial.at(path))
      : program.unlink(trial.at(path));
    if (await this.#ended(done, why, `remove ${path}`)) {
      this.#nodes.delete(path);
    }
  }

  async #rename(trial: Trial, from: string, to: string): Promise<void> {
    const why = this.#renameError(from, to);
    const done = trial.program.rename(trial.at(from), trial.at(to));
    const isDone = await this.#ended(done, why, `rename ${from} to ${to}`);
    if (!isDone || from === to) return;
    const moved = [...this.#nodes].filter(([path]) => isWithin(path, from));
    for (const [path] of moved) this.#nodes.delete(path);
    for (const [path, seed] of moved) {
      this.#nodes.set(to + path.slice(from.length), seed);
    }
  }

  /** `null` if it succeeds; "any" if there is more than one reason to fail. */
  #renameError(from: string, to: string): Failure {
    if (this.#parentError(from) !== null || this.#parentError(to) !== null) {
      return "any";
    }
    const seed = this.#nodes.get(from);
    if (seed === undefined) return "ENOENT";
    if (from === to) return null;
    if (isWithin(to, from)) return "any";
    if (isWithin(from, to)) return "any";
    const there = this.#nodes.get(to);
    if (there === undefined) return null;
    if (seed === null && there !== null) return "ENOTDIR";
    if (seed !== null && there === null) return "EISDIR";
    return this.#below(to).length > 0 ? "ENOTEMPTY" : null;
  }

  /** Why a path cannot be reached. */
  #parentError(path: string): Failure {
    const names = path.split("/").slice(0, -1);
    for (let count = 1; count <= names.length; count++) {
      const seed = this.#nodes.get(names.slice(0, count).join("/"));
      if (seed === undefined) return "ENOENT";
      if (seed !== null) return "ENOTDIR";
    }
    return null;
  }

  /** Whether a call succeeded, which it has to if it has no error to give. */
  async #ended(
    call: Promise<unknown>,
    error: Failure,
    what: string,
  ): Promise<boolean> {
    if (error === null) await call;
    else if (error !== "any") await fails(call, [error, ...also(error)], what);
    else {
      const isDone = await call.then(() => true, () => false);
      claim(!isDone, `${what} succeeded`);
    }
    return error === null;
  }

  #directories(): string[] {
    return [...this.#nodes].flatMap(([path, seed]) =>
      seed === null ? [path] : []
    );
  }

  #below(directory: string): string[] {
    const start = directory === "" ? "" : `${directory}/`;
    return [...this.#nodes.keys()]
      .filter((path) => path.startsWith(start))
      .map((path) => path.slice(start.length))
      .filter((rest) => !rest.includes("/"));
  }
}

type Failure = ErrnoName | "any" | null;

function also(error: ErrnoName): ErrnoName[] {
  return error === "ENOTEMPTY" ? ["EEXIST"] : [];
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
