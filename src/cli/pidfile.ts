import { UserError } from "../base/user_error.ts";
import {
  readText,
  removeFile,
  writeTextFile,
  type WrittenFile,
} from "../linux/syscall/text_file.ts";
import { pathKind } from "../linux/syscall/paths.ts";

/** A file with this process's number, for scripts and service managers. */
export class Pidfile {
  readonly #path: string;
  #written: WrittenFile | null = null;

  /**
   * Looks at the place, but writes nothing yet.
   *
   * @param path Where the file is to be.
   * @throws {UserError} If something lies there that must not be overwritten.
   */
  constructor(path: string) {
    this.#path = path;
    refuseTaken(path);
  }

  /**
   * Writes the file, in place of one whose process is gone.
   *
   * @throws {UserError} If it cannot be written, or somebody else was faster.
   */
  write(): void {
    if (refuseTaken(this.#path)) removeFile(this.#path);
    this.#written = writeTextFile(this.#path, `${Deno.pid}\n`, {
      exclusive: true,
    });
  }

  /** Removes the file, if it is still the one that was written. */
  remove(): void {
    this.#written?.remove();
    this.#written = null;
  }
}

/** Whether a stale pidfile is there; throws for anything but that. */
function refuseTaken(path: string): boolean {
  const kind = pathKind(path);
  if (kind === "missing") return false;
  const what = `Cannot use ${path} as the pidfile:`;
  if (kind !== "file") {
    throw new UserError(
      `${what} it exists and is no plain file; choose another`,
    );
  }
  const text = readText(path).trim();
  if (!/^\d*$/.test(text)) {
    throw new UserError(
      `${what} it exists and holds no process id; remove it or choose another`,
    );
  }
  // After a restart of a container a process often has the same number again.
  const stale = text === "" || Number(text) === Deno.pid ||
    pathKind(`/proc/${text}`) === "missing";
  if (stale) return true;
  throw new UserError(
    `${what} process ${text} that it names is running; end that or choose another`,
  );
}
