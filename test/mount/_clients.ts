/**
 * Programs that a test runs, files that it makes, and waiting with a limit.
 *
 * @module
 */

/** Default limit for anything that a test waits for. */
const STEP_MS = 20_000;

/** How a process ended. */
export interface Ended {
  /** Its exit code. */
  readonly code: number;
  /** Its standard output. */
  readonly stdout: string;
  /** Its standard error. */
  readonly stderr: string;
}

/** Waits for a promise, with a time limit. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  ms: number = STEP_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const error = new Error(`${what} took longer than ${ms} ms`);
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until a check is true. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  what: string,
  ms: number = STEP_MS,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!await check()) {
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${ms} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Runs a program to its end, for 20 s at most. */
export function run(program: string, ...args: string[]): Promise<Ended> {
  return runFor(20, program, ...args);
}

/** Runs a program to its end, for some seconds at most. */
export async function runFor(
  seconds: number,
  program: string,
  ...args: string[]
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: ["-k", "2", `${seconds}`, program, ...args],
    env: { LC_ALL: "C" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Runs a line of shell; "$1" and so on are the arguments. */
export async function shell(line: string, ...args: string[]): Promise<Ended> {
  return await run("sh", "-c", line, "sh", ...args);
}

/** Runs a program that must succeed; returns its output. */
export async function must(
  program: string,
  ...args: string[]
): Promise<string> {
  const { code, stdout, stderr } = await run(program, ...args);
  if (code === 0) return stdout.trim();
  throw new Error(
    `${program} ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`,
  );
}

/** Makes a file of random bytes. */
export async function randomFile(path: string, size: number): Promise<void> {
  const chunk = 65536;
  using file = await Deno.create(path);
  const bytes = new Uint8Array(chunk);
  for (let at = 0; at < size; at += chunk) {
    const part = bytes.subarray(0, Math.min(chunk, size - at));
    crypto.getRandomValues(part);
    await file.write(part);
  }
}

/** Whether a path exists. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Waits for a time, where there is no event to wait for. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The size of a file in bytes, as a client sees it. */
export async function sizeOf(path: string): Promise<number> {
  return Number(await must("stat", "-c", "%s", path));
}

/** The permission bits of a file in octal, as a client sees them. */
export async function modeOf(path: string): Promise<string> {
  return await must("stat", "-c", "%a", path);
}

/** Bytes that a file occupies on its medium, as a client sees them. */
export async function allocatedOf(path: string): Promise<number> {
  return Number(await must("stat", "-c", "%b", path)) * 512;
}

/** Requires that two raw images are equal to qemu-img. */
export async function assertSame(a: string, b: string): Promise<void> {
  await must("qemu-img", "compare", "-f", "raw", "-F", "raw", "-U", a, b);
}

/** Runs commands of qemu-io on a raw image; returns its output. */
export async function qemuIo(
  path: string,
  ...commands: string[]
): Promise<string> {
  const args = commands.flatMap((command) => ["-c", command]);
  const { stdout, stderr } = await run("qemu-io", "-f", "raw", ...args, path);
  return stdout + stderr;
}
