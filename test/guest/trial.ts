/**
 * One trial: `memory_trial` in a guest of its own.
 *
 * @module
 */

/** What exports the image: QEMU, or mqfuse with this option. */
export type Server = "plain" | "direct" | "loop-safe" | "qemu";

/** A trial. */
export interface Trial {
  /** What exports the image. */
  readonly server: Server;
  /** The kernel: `newest`, or `v1` with memory cgroups of version 1. */
  readonly kernel: string;
  /** `device` or `uring`. */
  readonly transport: string;
  /** Memory of the server's cgroup, in MiB. */
  readonly limitMib: number;
  /** How long programs write. */
  readonly seconds: number;
  /** How long sync(1) may take, in seconds. */
  readonly syncLimitS: number;
  /** Whether they are `outside` or `inside` of the server's cgroup. */
  readonly writers: string;
}

/** How a trial ended. */
export interface Outcome {
  /** A verdict of `memory_trial`, or `no end`. */
  readonly verdict: string;
  /** Times and amounts. */
  readonly text: string;
}

const HERE = new URL("./", import.meta.url).pathname;
const REPOSITORY = new URL("../../", import.meta.url).pathname;
/** Seconds for booting, mounting, checking the image. */
const AROUND_S = 300;

/** The trial in a few words, which are also the name of its log. */
export function trialName(trial: Trial): string {
  const { server, kernel, transport, limitMib, seconds, writers } = trial;
  const options = server === "qemu" ? [] : [transport];
  const place = writers === "outside" ? [] : ["inside"];
  return [server, kernel, ...options, `${limitMib}MiB`, `${seconds}s`, ...place]
    .join("-");
}

/**
 * Boots a guest, runs a trial in it, and keeps its output.
 *
 * @param trial The trial.
 * @param logs The directory for the output.
 */
export async function runTrial(trial: Trial, logs: string): Promise<Outcome> {
  const files = await Deno.makeTempDir({ prefix: "mqfuse_guest_" });
  try {
    await Deno.symlink(Deno.execPath(), `${files}/deno`);
    await Deno.symlink(REPOSITORY, `${files}/repository`);
    await Deno.writeTextFile(`${files}/settings`, settingsOf(trial));
    const log = `${logs}/${trialName(trial)}`;
    // sync, umount and the end of the server each have the limit of sync.
    const limit = trial.seconds + 3 * trial.syncLimitS + AROUND_S;
    const { stdout, stderr } = await new Deno.Command(`${HERE}boot`, {
      args: [
        ...["--timeout", String(limit), "--console", `${log}.console`],
        ...[trial.kernel, `${HERE}memory_trial`],
        ...["deno", "repository", "settings"].map((name) => `${files}/${name}`),
      ],
      stdin: "null",
    }).output();
    await Deno.writeFile(`${log}.log`, new Uint8Array([...stdout, ...stderr]));
    return outcomeOf(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(files, { recursive: true });
  }
}

function settingsOf(trial: Trial): string {
  const settings = {
    SERVER: trial.server,
    LIMIT: trial.limitMib,
    DURATION: trial.seconds,
    SYNC_LIMIT: trial.syncLimitS,
    TRANSPORT: trial.transport,
    WRITERS: trial.writers,
  };
  return Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function outcomeOf(output: string): Outcome {
  const found = /^RESULT (?<verdict>[a-z]+) (?<text>.*)$/m.exec(output)?.groups;
  return {
    verdict: found?.verdict ?? "no end",
    text: found?.text?.trim() ?? "the guest did not end",
  };
}
