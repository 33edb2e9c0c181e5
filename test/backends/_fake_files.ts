import type { BlockFile, CreatedFile } from "../../src/backends/block_file.ts";
import type {
  DriverServices,
  FileOpenOptions,
  FileService,
  SocketService,
} from "../../src/backends/services.ts";
import { UserError } from "../../src/base/user_error.ts";
import { FakeBlockFile } from "./_fake_block_file.ts";

/** No network. */
export const NO_SOCKETS: SocketService = {
  connect: (_address, name) =>
    Promise.reject(new UserError(`Cannot open ${name}: there is no network`)),
  tls(_files, name) {
    throw new UserError(`Cannot open ${name}: there is no TLS`);
  },
};

/** Files in memory that log how they are opened, locked and closed. */
export class FakeFiles implements FileService {
  /** The network. */
  sockets: SocketService = NO_SOCKETS;
  /** The calls, in order. */
  readonly log: string[] = [];
  /** Paths that cannot be opened with O_DIRECT. */
  readonly refusesDirect: Set<string> = new Set();
  /** What direct I/O returns; all bytes if `null`. */
  probeResult: number | null = null;
  readonly #files = new Map<string, FakeBlockFile>();
  readonly #open = new Map<number, BlockFile>();
  readonly #paths = new Map<number, string>();
  #next = 100;

  /** Makes a file. */
  add(path: string, size: number): void {
    this.#files.set(path, new FakeBlockFile(size));
  }

  /** Makes a file of some bytes, on a medium that has some pages. */
  write(path: string, bytes: Uint8Array, pages: number = Infinity): void {
    this.share(path, bytes.slice(), pages);
  }

  /** The same without a copy: nothing may change the bytes while it is used. */
  share(path: string, bytes: Uint8Array, pages: number = Infinity): void {
    const faults = { identity: path, pages };
    this.#files.set(path, new FakeBlockFile(bytes.length, faults, bytes));
  }

  /** Whether a path stands for a file. */
  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** What users were told. */
  readonly told: string[] = [];

  /** How many descriptors are open. */
  get openCount(): number {
    return this.#open.size;
  }

  /** The services of a thread that has these files. */
  services(): DriverServices {
    const sockets: SocketService = {
      connect: (...args) => this.sockets.connect(...args),
      tls: (...args) => this.sockets.tls(...args),
    };
    return {
      files: this,
      sockets,
      fileIo: () => null,
      tell: (text) => this.told.push(text),
    };
  }

  open(path: string, options: FileOpenOptions): BlockFile {
    return this.#openAs("open", path, options);
  }

  create(path: string): CreatedFile {
    const name = this.absolutePath(path).replace(/^\/images\//, "");
    if (this.#files.has(name)) {
      throw Object.assign(new UserError(`Cannot create ${path}: it exists`), {
        errno: 17,
      });
    }
    this.#files.set(name, new FakeBlockFile(0, { identity: name }));
    const file = this.#openAs("open", path, { writable: true });
    return {
      file,
      path: this.absolutePath(path),
      syncName: () => 0,
      rename: (path) => {
        const to = this.absolutePath(path).replace(/^\/images\//, "");
        this.#files.set(to, this.#files.get(name)!);
        this.#files.delete(name);
      },
      remove: () => void this.#files.delete(name),
      close: () => file.close(),
    };
  }

  #openAs(
    how: "open" | "reopen",
    path: string,
    { direct = false }: FileOpenOptions,
  ): BlockFile {
    const name = this.absolutePath(path).replace(/^\/images\//, "");
    const file = this.#files.get(name);
    if (file === undefined || (direct && this.refusesDirect.has(path))) {
      throw Object.assign(new UserError(`Cannot open ${path}: missing`), {
        errno: 2,
      });
    }
    const fd = this.#next++;
    const what = direct ? `${path} (direct)` : path;
    this.log.push(`${how} ${what}`);
    const descriptor = new Proxy(file, {
      get: (target, name) => {
        if (name === "fd") return fd;
        if (name === "close") {
          return () => {
            this.log.push(`close ${what}`);
            this.#open.delete(fd);
          };
        }
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    this.#open.set(fd, descriptor);
    this.#paths.set(fd, path);
    return descriptor;
  }

  wrap(fd: number): BlockFile {
    return this.#open.get(fd)!;
  }

  reopen(fd: number, _name: string, options: FileOpenOptions): BlockFile {
    return this.#openAs("reopen", this.#paths.get(fd)!, options);
  }

  probeDirect(file: BlockFile, length: number): number {
    this.log.push(`probe ${this.#paths.get(file.fd)} by ${length} bytes`);
    return this.probeResult ?? length;
  }

  lock(_file: BlockFile, name: string, writable: boolean): void {
    this.log.push(`lock ${name} to ${writable ? "write" : "read"}`);
  }

  releaseWriteLock(_file: BlockFile, name: string): void {
    this.log.push(`release ${name}`);
  }

  absolutePath(path: string): string {
    // A URL takes what follows two slashes for a host.
    const relative = path.startsWith("/")
      ? path.replace(/^\/+/, "/")
      : `./${path}`;
    const normal = new URL(relative, "file:///images/").pathname;
    return normal.replace(/(?<=.)\/$/, "");
  }

  realPath(path: string): string | null {
    const absolute = this.absolutePath(path);
    return this.#files.has(absolute.replace(/^\/images\//, ""))
      ? absolute
      : null;
  }

  pathOf(fd: number): string {
    return this.absolutePath(this.#paths.get(fd)!);
  }
}
