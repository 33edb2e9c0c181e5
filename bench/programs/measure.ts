import type { Peer } from "../servers/commands.ts";
import { type Guard, quote } from "../servers/guard.ts";
import { type RunningServer, startServer } from "../servers/running_server.ts";
import { rotate } from "../servers/rotate.ts";
import type { Materials } from "./materials.ts";
import type { Place, Program } from "./programs.ts";
import type { Run } from "./run.ts";
import { type Contender, contendersFor } from "./servers.ts";
import { runShell } from "./shell.ts";

/** A measurement of programs. */
export interface Plan {
  readonly programs: readonly Program[];
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  readonly materials: Materials;
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
  /** A directory for mount points and what programs write. */
  readonly directory: string;
  readonly guard: Guard;
  readonly signal: AbortSignal;
  /** No program begins after this time of performance.now(), in milliseconds. */
  readonly deadline: number;
}

/** Callbacks for the progress of a measurement. */
export interface Listener {
  /** A run begins: "cp-from mqfuse-n". */
  readonly onRun: (what: string) => void;
  /** A run has ended; `null` if it failed or was left out. */
  readonly onDone: (run: Run | null) => void;
  /** All runs of a program have ended. */
  readonly onProgram: (program: Program) => void;
  /** Something failed or was left out. */
  readonly onNote: (note: string) => void;
}

/** Milliseconds that a program, and what comes before it, may take each. */
const LIMIT_MS = 120_000;

/**
 * Times all programs of a plan. The servers of one place are mounted at the same
 * time, and all are idle except the one whose program runs. Each round of a
 * program takes all servers in turn.
 *
 * @param plan The measurement.
 * @param listener Callbacks.
 * @throws If it is cancelled; everything that it started has ended then.
 */
export async function measure(plan: Plan, listener: Listener): Promise<void> {
  for (const place of ["file", "loop", "guest"] as const) {
    const programs = plan.programs.filter((each) => each.place === place);
    if (programs.length === 0) continue;
    const running: RunningServer[] = [];
    try {
      await startAll(place, plan, { running, listener });
      for (const program of programs) {
        if (performance.now() >= plan.deadline) return;
        await measureProgram(program, running, plan, listener);
        listener.onProgram(program);
      }
    } finally {
      await Promise.all(running.map((server) => server.stop()));
    }
  }
}

async function startAll(
  place: Place,
  plan: Plan,
  { running, listener }: { running: RunningServer[]; listener: Listener },
): Promise<void> {
  const { directory, guard, signal, materials, peers } = plan;
  const image = place === "guest" ? materials.guestDisk : materials.disk;
  for (const { kind, places } of plan.contenders) {
    if (!places.includes(place)) continue;
    listener.onRun(`starting ${kind.name}`);
    const base = `${directory}/${place}-${kind.name}`;
    try {
      running.push(
        await startServer(kind, {
          driver: "file",
          image,
          size: (await Deno.stat(image)).size,
          mountpoint: `${base}.img`,
          socket: `${base}.socket`,
          deno: Deno.execPath(),
          peers,
        }, { directory, guard, signal }),
      );
    } catch (error) {
      signal.throwIfAborted();
      const why = (error as Error).message;
      listener.onNote(`${kind.name} was left out: ${why}`);
    }
  }
}

async function measureProgram(
  program: Program,
  running: readonly RunningServer[],
  plan: Plan,
  listener: Listener,
): Promise<void> {
  const failed = new Set<RunningServer>();
  const expected = contendersFor(program, plan.contenders).length;
  for (let round = 0; round < plan.rounds; round++) {
    for (let i = running.length; i < expected; i++) listener.onDone(null);
    for (const server of rotate(running, round)) {
      const { name } = server.kind;
      listener.onRun(`${program.name} ${name}`);
      if (failed.has(server)) {
        listener.onDone(null);
        continue;
      }
      try {
        listener.onDone(await timeOne(program, server, plan, round === 0));
      } catch (error) {
        plan.signal.throwIfAborted();
        failed.add(server);
        listener.onDone(null);
        const why = (error as Error).message;
        listener.onNote(`${program.name} fails on ${name}: ${why}`);
      }
    }
  }
}

async function timeOne(
  program: Program,
  server: RunningServer,
  { materials, directory, guard, signal }: Plan,
  isFirst: boolean,
): Promise<Run> {
  const env = {
    EXPORT: server.path,
    SOURCE: materials.source,
    COPY: `${directory}/copy`,
    MOUNT: `${directory}/mount`,
    ARCHIVE: materials.archive,
    GUEST: materials.guest,
  };
  await Deno.mkdir(env.MOUNT, { recursive: true });
  const shell = (script: string) =>
    runShell(script, { env, limitMs: LIMIT_MS, signal });
  const undo = detachLoop(env.EXPORT, env.MOUNT);
  const forget = await guard.add(undo);
  try {
    if (program.before !== undefined) await shell(program.before);
    const cpuBefore = server.cpuSeconds() ?? 0;
    const ms = await shell(program.run);
    const serverS = (server.cpuSeconds() ?? 0) - cpuBefore;
    if (isFirst && program.check !== undefined) await shell(program.check);
    if (program.after !== undefined) await shell(program.after);
    return {
      program: program.name,
      server: server.kind.name,
      seconds: ms / 1000,
      serverS,
    };
  } catch (error) {
    await runShell(undo, {
      env: {},
      limitMs: LIMIT_MS,
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    throw error;
  } finally {
    await forget();
  }
}

/** Unmounts a file system, and detaches the loop device on an export. */
function detachLoop(path: string, mount: string): string {
  return `timeout 20 umount -l ${quote(mount)} 2>/dev/null || true; ` +
    `losetup --noheadings --output NAME,BACK-FILE | ` +
    `while read -r name file; do ` +
    `[[ $file != ${quote(path)} ]] || timeout 20 losetup --detach $name; done`;
}
