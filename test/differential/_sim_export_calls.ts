import type { Clock } from "../../sim/determinism/clock.ts";
import type { SimTime } from "../../sim/vfs/setattr.ts";
import { SimClient, type SimMount } from "../../sim/vfs/sim_client.ts";
import {
  done,
  SimFileCalls,
  statfsResult,
  statResult,
} from "./_sim_file_calls.ts";
import type { StepTime } from "./step.ts";

const PID = 1000;

/** A clock that a script moves. */
export class ScriptClock implements Clock {
  /** Microseconds. */
  now = 0;

  after(): void {}
}

/** System calls on a simulated export; the only path is the file itself. */
export class SimExportCalls extends SimFileCalls {
  readonly #mount: SimMount;
  readonly #clock: ScriptClock;
  #client: SimClient;

  /** Prepares for a script. */
  constructor(mount: SimMount, clock: ScriptClock) {
    super();
    this.#mount = mount;
    this.#clock = clock;
    this.#client = new SimClient(mount, { uid: 0, gid: 0, pid: PID });
  }

  async open(as: string, _path: string, flags: number) {
    this.files.set(as, await this.#client.open(flags));
  }

  async stat() {
    return statResult(await this.#client.stat());
  }

  async statx() {
    return (await this.#client.statx()).size;
  }

  async statfs() {
    return statfsResult(await this.#client.statfs());
  }

  access(_path: string, mode: number) {
    return done(this.#client.access(mode));
  }

  chmod(_path: string, mode: number) {
    return done(this.#client.chmod(mode));
  }

  chown(_path: string, uid: number, gid: number) {
    return done(this.#client.chown(uid, gid));
  }

  truncate(_path: string, size: number) {
    return done(this.#client.truncate(size));
  }

  utimens(_path: string, atime: StepTime, mtime: StepTime) {
    return done(this.#client.utimens(timeOf(atime), timeOf(mtime)));
  }

  setxattr(_path: string, name: string, value: string) {
    const bytes = new TextEncoder().encode(value);
    return done(this.#client.setxattr(name, bytes));
  }

  getxattr(_path: string, name: string) {
    return this.#client.getxattr(name);
  }

  listxattr() {
    return this.#client.listxattr();
  }

  become(uid: number, gid: number) {
    this.#client = new SimClient(this.#mount, { uid, gid, pid: PID });
    return 0;
  }

  sleep(ms: number) {
    this.#clock.now += ms * 1000;
  }
}

function timeOf(time: StepTime): SimTime {
  if (time === "omit") return null;
  return time === "now" ? time : BigInt(time);
}
