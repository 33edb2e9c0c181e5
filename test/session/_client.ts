/** Milliseconds after which a client that hangs is killed. */
const CLIENT_MS = 15_000;

/** The result of a client program. */
export interface ClientResult {
  /** Its exit status. */
  readonly code: number;
  /** Its standard output. */
  readonly stdout: string;
  /** Its standard error. */
  readonly stderr: string;
}

/**
 * Runs a client of a mount in a separate process: the serving thread must never
 * access its own mount.
 */
export async function client(...argv: string[]): Promise<ClientResult> {
  const [program, ...args] = argv;
  const child = new Deno.Command(program!, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { LC_ALL: "C" },
    signal: AbortSignal.timeout(CLIENT_MS),
  });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Runs a shell command as a client; `$1` and so on are the arguments. */
export function shell(
  command: string,
  ...args: string[]
): Promise<ClientResult> {
  return client("sh", "-c", command, "sh", ...args);
}

/** A temporary directory with an empty file to mount on, removed at the end. */
export class TemporaryMountpoint implements Disposable {
  /** The directory. */
  readonly directory: string = Deno.makeTempDirSync({ prefix: "mqfuse-test-" });
  /** An empty file in it. */
  readonly mountpoint: string = `${this.directory}/mnt.img`;

  /** Makes the directory and the file. */
  constructor() {
    Deno.writeFileSync(this.mountpoint, new Uint8Array());
  }

  /** A path in the directory. */
  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  /** Unmounts what a failed test may have left, and removes the directory. */
  [Symbol.dispose](): void {
    new Deno.Command("umount", {
      args: ["-f", "-l", "-q", this.mountpoint],
      stderr: "null",
    }).outputSync();
    Deno.removeSync(this.directory, { recursive: true });
  }
}
