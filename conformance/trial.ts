import { O } from "../src/base/file_flags.ts";
import { decodeName } from "../src/base/name_bytes.ts";
import type { Random } from "../sim/determinism/random.ts";
import { claim, same } from "./check.ts";
import type { ConformanceRules, Feature } from "./options.ts";
import type { Program, ProgramEntry } from "./program.ts";

/** One step of the suite: what it is about, what it needs, what it does. */
export interface Step {
  /** What holds, as a sentence without a verb of duty. */
  readonly name: string;
  /** What the file system needs for it. */
  readonly needs: readonly Feature[];
  /** Claims it, in a directory of its own. */
  run(trial: Trial): Promise<void>;
}

/** What a step works with. */
export class Trial {
  readonly program: Program;
  readonly rules: ConformanceRules;
  readonly random: Random;
  /** The directory of the step: a path. */
  readonly directory: string;
  /** Makes the kernel forget what it can; nothing on a real mount. */
  readonly forget: () => Promise<void>;

  /** Begins a step in a directory, which exists. */
  constructor(
    program: Program,
    rules: ConformanceRules,
    random: Random,
    directory: string,
    forget: () => Promise<void>,
  ) {
    this.program = program;
    this.rules = rules;
    this.random = random;
    this.directory = directory;
    this.forget = forget;
  }

  /** The path of a name in the directory of the step. */
  at(name: string): string {
    return this.directory === "" ? name : `${this.directory}/${name}`;
  }

  /** Creates a file with contents; returns its path. */
  async make(name: string, bytes: Uint8Array = new Uint8Array()) {
    const path = this.at(name);
    const file = await this.program.open(path, O.CREAT | O.EXCL | O.WRONLY);
    try {
      await writeAll(file, bytes, 0);
    } finally {
      await file.close();
    }
    return path;
  }

  /** Creates a directory; returns its path. */
  async makeDirectory(name: string): Promise<string> {
    const path = this.at(name);
    await this.program.mkdir(path, 0o777);
    return path;
  }

  /** All bytes of a file, by one pread(2) that asks for more. */
  async contents(path: string): Promise<Uint8Array> {
    const file = await this.program.open(path);
    try {
      const { size } = await file.fstat();
      const bytes = new Uint8Array(size + 10);
      return bytes.subarray(0, await readAll(file, bytes, 0));
    } finally {
      await file.close();
    }
  }

  /** The names in a directory, sorted, without the dots. */
  async names(path: string, bytes?: number): Promise<string[]> {
    const entries = await this.entries(path, bytes);
    const names = entries.map(({ name }) => nameOf(name));
    return names.filter((name) => name !== "." && name !== "..").sort();
  }

  /** The entries of a directory. */
  async entries(path: string, bytes?: number): Promise<ProgramEntry[]> {
    const directory = await this.program.opendir(path);
    const all: ProgramEntry[] = [];
    try {
      for (;;) {
        const some = await directory.read(bytes);
        if (some.length === 0) return all;
        all.push(...some);
        claim(all.length < 1_000_000, `the list of ${path} does not end`);
      }
    } finally {
      directory.close();
    }
  }
}

/** A name of a listing as text; lone surrogates for bytes that are not UTF-8. */
export function nameOf(name: ProgramEntry["name"]): string {
  return typeof name === "string" ? name : decodeName(name.slice());
}

/** Reads until the buffer is full or the file ends. */
export async function readAll(
  file: { pread(into: Uint8Array, position: number): Promise<number> },
  into: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const count = await file.pread(into.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Writes all bytes. */
export async function writeAll(
  file: { pwrite(from: Uint8Array, position: number): Promise<number> },
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  if (bytes.length === 0) return;
  same(await file.pwrite(bytes, position), bytes.length, "bytes written");
}

/** Bytes that differ from those of other seeds and places. */
export function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 7 + 1) & 255);
}
