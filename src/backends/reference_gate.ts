import { UserError } from "../base/user_error.ts";
import type { ImageBelow, OpenContext } from "./driver.ts";

/** Images in a chain at most. */
export const CHAIN_MAX = 32;

/** How an image below another one is opened. */
export const READ_ONLY = {
  writable: false,
  growable: false,
  snapshot: null,
  backing: null,
  overlay: null,
} as const;

/** The place of an image in a chain. */
export interface ChainLink {
  readonly gate: ReferenceGate;
  /** By what it was named; `null` for what the user named. */
  readonly reference: Reference | null;
}

/** A file that an image refers to. */
export interface Reference {
  /** What it is to the image; a backing file or parent is an image below it. */
  readonly role: "backing file" | "parent" | "data file" | "extent";
  /** The name that the image gives. */
  readonly name: string;
  /** The image. */
  readonly by: ImageBelow;
}

/**
 * Decides which files the images of one chain may lead to: the author of an image
 * chose the names in it. A name is a path, never a URL or an option; the file
 * lies in the directory of the first image or below it, or in a directory that
 * the user allows; and no file is part of a chain twice.
 */
export class ReferenceGate {
  readonly #context: OpenContext;
  /** Directories that may be used, without symbolic links. */
  readonly #directories: readonly string[];
  /** Files of the chain, by their identities. */
  readonly #members = new Set<string>();
  #images = 1;

  /**
   * Makes the gate of a chain.
   *
   * @param first The file of the first image, which the user named.
   * @param context The context in which it is opened.
   */
  constructor(first: ImageBelow, context: OpenContext) {
    const { options, services: { files } } = context;
    const own = first.file === null ? [] : [files.pathOf(first.file.fd)];
    this.#context = context;
    this.#directories = [
      ...own.map(directoryOf),
      ...options.allowReference.map((path) => files.absolutePath(`${path}/.`)),
    ];
    this.#add(first);
  }

  /**
   * The path of a file that an image names.
   *
   * @throws {UserError} If the name is no path, or the chain is too long.
   */
  pathOf(reference: Reference): string {
    const { role, name, by } = reference;
    if (/^[a-z][a-z0-9+.-]*:/i.test(name)) {
      throw refused(reference, "it is not a path; name the file yourself");
    }
    const isBelow = role === "backing file" || role === "parent";
    if (isBelow && ++this.#images > CHAIN_MAX) {
      throw refused(
        reference,
        `the chain has more than ${CHAIN_MAX} images; shorten it with 'qemu-img rebase' or 'qemu-img convert'`,
      );
    }
    if (name.startsWith("/")) return name;
    const { files } = this.#context.services;
    const directory = by.file === null
      ? null
      : directoryOf(files.pathOf(by.file.fd));
    return directory === null ? name : `${directory}/${name}`;
  }

  /**
   * Where the parent of an image is, which is an image of a chain too.
   *
   * @param name What the image calls it; "" if it does not name it.
   * @param by The image.
   * @param format The format that it has to have, in what users write.
   * @throws {UserError} If the name is none, or no path; if the chain is too long.
   */
  parentOf(
    name: string,
    by: ImageBelow,
    format: string,
  ): { readonly file: string; readonly link: ChainLink } {
    const reference: Reference = { role: "parent", name, by };
    if (name === "") {
      throw refused(
        reference,
        `the image does not name it; give it with backing=${format}:PATH`,
      );
    }
    const file = this.pathOf(reference);
    return { file, link: { gate: this, reference } };
  }

  /**
   * Admits a file that was opened for a reference, before any of it is read.
   *
   * @throws {UserError} If it lies elsewhere, or is part of the chain already.
   */
  admit(file: ImageBelow, reference: Reference): void {
    const { files } = this.#context.services;
    if (file.file === null) throw refused(reference, "it is not a file");
    const path = files.pathOf(file.file.fd);
    const isInside = this.#directories.some((directory) =>
      path.startsWith(directory === "/" ? directory : `${directory}/`)
    );
    if (!isInside) {
      const directory = directoryOf(path);
      throw refused(
        reference,
        `it is ${path}, outside of the image's directory; allow that with allow-reference=${directory} if you trust the image`,
      );
    }
    if (!this.#add(file)) {
      throw refused(
        reference,
        "it is part of the same chain already; repair the chain with 'qemu-img rebase'",
      );
    }
  }

  #add({ file }: ImageBelow): boolean {
    const identity = file?.stat.identity;
    if (identity === undefined) return true;
    const isNew = !this.#members.has(identity);
    this.#members.add(identity);
    return isNew;
  }
}

/**
 * The refusal of a file that an image refers to.
 *
 * @param reference The reference.
 * @param why Why, and what to do.
 */
export function refused({ role, name, by }: Reference, why: string): UserError {
  return new UserError(
    `Cannot open the ${role} ${JSON.stringify(name)} of ${by.name}: ${why}`,
  );
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}
