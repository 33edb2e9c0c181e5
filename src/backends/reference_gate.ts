import { UserError } from "../base/user_error.ts";
import type {
  DriverSource,
  ImageBelow,
  OpenContext,
  ServerPlace,
} from "./driver.ts";
import { FILE } from "./protocols/file/driver.ts";

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
 * the user allows; and no file is part of a chain twice. A relative path in an
 * image on a server leads to the same server, never to a file of this machine.
 */
export class ReferenceGate {
  readonly #context: OpenContext;
  /** Directories that may be used, without symbolic links. */
  readonly #directories: readonly string[];
  /** The directory of the first image on its server; `null` if it is on none. */
  readonly #serverDirectory: string | null;
  /** Files of the chain, by their identities or URLs. */
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
    this.#serverDirectory = first.place === undefined
      ? null
      : directoryOf(first.place.url);
    this.#directories = [
      ...own.map(directoryOf),
      ...options.allowReference.map((path) => files.absolutePath(`${path}/.`)),
    ];
    this.#add(first);
  }

  /**
   * What the name of a file in an image leads to. Nothing of it is opened yet,
   * because the author of an image may not make this program open any device.
   *
   * @throws {UserError} If the name is no path, or leads elsewhere, or the chain
   * is too long.
   */
  sourceOf(reference: Reference): DriverSource {
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
    const { services: { files }, options: { allowReference } } = this.#context;
    if (name.startsWith("/")) {
      if (by.file !== null || allowReference.length > 0) {
        return this.#fileAt(name, reference);
      }
      throw refused(
        reference,
        `it is a path of the machine on which the image was made; ${
          adviceFor(reference)
        }`,
      );
    }
    if (by.place !== undefined) return this.#beside(by.place, reference);
    if (by.file !== null) {
      const directory = directoryOf(files.pathOf(by.file.fd));
      return this.#fileAt(`${directory}/${name}`, reference);
    }
    throw refused(
      reference,
      `the image is in no directory in which that could be; ${
        adviceFor(reference)
      }`,
    );
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
  ): { readonly file: DriverSource; readonly link: ChainLink } {
    const reference: Reference = { role: "parent", name, by };
    if (name === "") {
      throw refused(
        reference,
        `the image does not name it; give it with backing=${format}:PATH`,
      );
    }
    const file = this.sourceOf(reference);
    return { file, link: { gate: this, reference } };
  }

  /**
   * Admits a file that was opened for a reference, before any of it is read.
   *
   * @throws {UserError} If another file has taken its path since, which lies
   * elsewhere, or if it is part of the chain already.
   */
  admit(file: ImageBelow, reference: Reference): void {
    if (file.file !== null) {
      const path = this.#context.services.files.pathOf(file.file.fd);
      this.#refuseOutside(path, reference);
    } else if (file.place === undefined) {
      throw refused(reference, "it is not a file");
    }
    if (!this.#add(file)) {
      throw refused(
        reference,
        "it is part of the same chain already; repair the chain with 'qemu-img rebase'",
      );
    }
  }

  /** A file of this machine. If there is none, opening it says so. */
  #fileAt(path: string, reference: Reference): DriverSource {
    const real = this.#context.services.files.realPath(path);
    if (real !== null) this.#refuseOutside(real, reference);
    return { driver: FILE, source: path };
  }

  #refuseOutside(path: string, reference: Reference): void {
    if (this.#directories.some((directory) => isInside(path, directory))) {
      return;
    }
    const directory = directoryOf(path);
    throw refused(
      reference,
      `it is ${path}, outside of the image's directory; allow that with allow-reference=${directory} if you trust the image`,
    );
  }

  /** Looks before anything is asked of the server: it would see the URL. */
  #beside(place: ServerPlace, reference: Reference): DriverSource {
    const found = place.beside(reference.name);
    const advice = adviceFor(reference);
    if (typeof found === "string") {
      throw refused(reference, `${found}; ${advice}`);
    }
    const directory = this.#serverDirectory;
    if (directory !== null && isInside(found.url, directory)) {
      return found.source;
    }
    throw refused(
      reference,
      `it is ${found.url}, outside of the image's directory; ${advice} if you trust the image`,
    );
  }

  #add({ file, place }: ImageBelow): boolean {
    const identity = file?.stat.identity ?? place?.url;
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

/** What to do about a name that is refused. */
function adviceFor({ role }: Reference): string {
  return role === "backing file" || role === "parent"
    ? "name the image yourself with backing, such as backing=qcow2:https://HOST/PATH"
    : "copy the files of the image to one local directory";
}

/** Whether a path or URL is in a directory or below it. */
function isInside(path: string, directory: string): boolean {
  return path.startsWith(directory === "/" ? directory : `${directory}/`);
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}
