import type { Backend } from "../../src/backends/backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/memory_backend.ts";
import { NullBackend } from "../../src/backends/null_backend.ts";
import {
  BlockExport,
  exportCapabilities,
} from "../../src/export/block_export.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import type { WantedCapabilities } from "../../src/protocol/init.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import type { RequestHandler } from "../../src/queue/serve.ts";
import { Actor } from "./actor.ts";
import { auditDisk } from "../oracle/audit.ts";
import { isLost } from "../oracle/checked_file.ts";
import { Checker } from "../oracle/checker.ts";
import { VirtualClock } from "../determinism/clock.ts";
import { Cores } from "../kernel/cores.ts";
import { EventLog } from "../oracle/event_log.ts";
import { Excuses } from "../oracle/excuses.ts";
import { FaultDice } from "../faults/faults.ts";
import { FaultyBackend } from "../faults/faulty_backend.ts";
import { FaultyQueue } from "../faults/faulty_queue.ts";
import { SimKernel } from "../kernel/kernel.ts";
import { DiskModel } from "../oracle/model.ts";
import type { Step } from "./plan.ts";
import { policyNamed } from "../kernel/policy.ts";
import { Random } from "../determinism/random.ts";
import { SimError } from "../kernel/sim_error.ts";
import { serveInThread, type ThreadServer } from "./server.ts";
import { TimedQueue } from "../faults/timed_queue.ts";
import type {
  SimulationHooks,
  SimulationOutcome,
  SimulationPlan,
} from "./simulation_plan.ts";

export type * from "./simulation_plan.ts";

/** Longest time that everything may take, in microseconds of virtual time. */
const PATIENCE_US = 3600e6;
const SIGNAL_DELAY_US = 200;
/** How long a Worker hangs before somebody closes its queue. */
const HANG_US = 20_000;
/** Longer than any request timeout: the kernel gives up first. */
const LONG_HANG_US = 180e6;

/** Runs a plan in this thread, in virtual time. */
export function simulatePlan(
  plan: SimulationPlan,
  hooks: SimulationHooks = {},
): Promise<SimulationOutcome> {
  return new Simulation(plan, hooks).run();
}

class Simulation {
  readonly #plan: SimulationPlan;
  readonly #hooks: SimulationHooks;
  readonly #clock: VirtualClock = new VirtualClock();
  readonly #log: EventLog;
  readonly #checker: Checker = new Checker();
  readonly #dice: FaultDice;
  readonly #cores: Cores;
  readonly #kernel: SimKernel;
  readonly #model: DiskModel;
  readonly #backend: FaultyBackend;
  readonly #statistics: QueueStatistics;
  readonly #actors: readonly Actor[];
  readonly #signals: Random;
  #steps = 0;
  #errors = 0;
  #failure: string | null = null;

  constructor(plan: SimulationPlan, hooks: SimulationHooks) {
    const random = new Random(plan.seed);
    const wakes = random.fork();
    const [wakeMin, wakeMax] = plan.costs.wakeUs;
    const isUring = plan.policy === "uring";
    this.#plan = plan;
    this.#hooks = hooks;
    this.#log = new EventLog(hooks.keepsLog ?? false);
    this.#dice = new FaultDice(plan.rates, random.fork());
    this.#signals = random.fork();
    this.#cores = new Cores(this.#clock, plan.cores);
    const policy = plan.policy === "uring"
      ? {}
      : { policy: policyNamed(plan.policy, random.fork()) };
    this.#kernel = new SimKernel({
      queues: plan.queues,
      capacity: plan.capacity,
      uring: isUring,
      clock: this.#clock,
      wakeUs: () => wakeMin + (wakeMax - wakeMin) * wakes.fraction(),
      ...policy,
      onTaken: (taken) => {
        this.#checker.taken(taken);
        const { queue, unique, call } = taken;
        this.#note(`take ${queue} ${unique} ${call.opcode}`);
        this.#disturb();
      },
      onReply: (reply) => {
        this.#checker.replied(reply);
        const { queue, unique, errno, length } = reply;
        this.#note(`reply ${queue} ${unique} ${errno} ${length}`);
      },
    });
    const excuses = new Excuses(plan, this.#dice);
    this.#model = new DiskModel({
      size: plan.size,
      growable: plan.growable,
      mayFail: excuses.mayDoLess,
    });
    this.#kernel.inode.pages.onFailure = (error, position, bytes) => {
      // Whoever has the pages of a queue that is gone may still write them, and
      // with them what later writes to the same pages had not changed yet.
      if (isLost(error)) this.#model.mayComeLate(position, bytes);
    };
    this.#backend = new FaultyBackend(this.#disk(), {
      clock: this.#clock,
      dice: this.#dice,
      serviceUs: plan.costs.backendUs,
      ...(maps(plan) ? {} : {
        onCut: (position, length) => this.#model.cut(position, length),
      }),
    });
    this.#statistics = QueueStatistics.create(this.#kernel.queues.length);
    this.#actors = plan.clients.map((client, index) =>
      new Actor(client, {
        index,
        mount: this.#kernel,
        model: this.#model,
        clock: this.#clock,
        cores: this.#cores,
        clientUs: plan.costs.clientUs,
        mayFail: (step, errno) => excuses.mayFail(step, errno),
        onStep: (actor, step, result) => this.#stepped(actor, step, result),
      })
    );
  }

  async run(): Promise<SimulationOutcome> {
    let server: ThreadServer | null = null;
    this.#serve().then(
      (started) => server = started,
      (error) => this.#fail(error),
    );
    await this.#until(() => server !== null, "INIT");
    let finished = 0;
    for (const actor of this.#actors) {
      actor.run().then(() => finished++, (error) => this.#fail(error));
    }
    await this.#until(() => finished === this.#actors.length, "its clients");
    const virtualUs = this.#clock.now;
    this.#dice.armed = false;
    const queues = this.#statistics.totals();
    const { wokenInVain } = this.#kernel;
    await this.#audit();
    await this.#end(server);
    return {
      failure: this.#failure,
      virtualUs: Math.round(virtualUs),
      steps: this.#steps,
      errors: this.#errors,
      queues,
      wokenInVain,
      faults: this.#dice.counts,
      events: this.#log.count,
      logHash: this.#log.hash,
      log: this.#log.lines,
    };
  }

  #disk(): Backend {
    const { size, growable, isNull } = this.#plan;
    const around = this.#hooks.backend ?? ((same: Backend) => same);
    return around(
      isNull
        ? new NullBackend(size)
        : new MemoryBackend(createMemoryDisk(size, { growable })),
    );
  }

  async #serve(): Promise<ThreadServer> {
    const { size, growable } = this.#plan;
    const rules = { writable: true, growable, allowOther: true };
    const state = ExportState.create({
      size,
      mode: 0o600,
      uid: 0,
      gid: 0,
      oneThread: true,
    });
    const around = this.#hooks.handler ?? ((same: RequestHandler) => same);
    const kernel = this.#kernel;
    return await serveInThread(kernel, {
      wanted: this.#wanted(exportCapabilities(rules)),
      statistics: this.#statistics,
      drainMs: 0,
      handler: () =>
        around(new BlockExport({ backend: this.#backend, state, rules })),
      around: (queue) => {
        const faulty = new FaultyQueue(queue, {
          clock: this.#clock,
          dice: this.#dice,
          hangUs: this.#plan.requestTimeout > 0 ? LONG_HANG_US : HANG_US,
          queues: this.#plan.queues,
          write: (index, message) => kernel.write(index, message),
          isOnly: ({ request }) =>
            kernel.processing === 1 &&
            request.opcode !== OPCODES.INTERRUPT.opcode,
          kill: (index) => this.#kill(index),
          onDefect: (unique) => this.#checker.excuse(unique),
        });
        const broken = this.#hooks.around?.(faulty, kernel) ?? faulty;
        const cost = (exchange: Exchange) => this.#cost(exchange);
        return new TimedQueue(broken, this.#cores, cost);
      },
    });
  }

  #wanted(wanted: WantedCapabilities): WantedCapabilities {
    const { policy, requestTimeout } = this.#plan;
    const flags = [...wanted.flags];
    if (policy === "uring") flags.push("OVER_IO_URING");
    if (requestTimeout > 0) flags.push("REQUEST_TIMEOUT");
    return { ...wanted, flags, requestTimeout };
  }

  #cost({ request }: Exchange): number {
    const { serverUs, kibUs } = this.#plan.costs;
    return serverUs + kibUs * request.length / 1024;
  }

  /** Closes a queue, if it is not the last one. */
  #kill(index: number): boolean {
    const open = this.#kernel.openQueues;
    if (open.length < 2 || !open.includes(index)) return false;
    this.#note(`close ${index}`);
    this.#kernel.close(index);
    return true;
  }

  /** Signals and unmounts, each some time after a request was taken. */
  #disturb(): void {
    const dice = this.#dice;
    const at = (act: () => void) =>
      this.#clock.after(this.#signals.fraction() * SIGNAL_DELAY_US, act);
    for (const signal of ["interrupt", "kill"] as const) {
      if (!dice.roll(signal)) continue;
      const { client } = this.#signals.pick(this.#actors);
      at(() => {
        this.#note(`${signal} ${client.credentials.pid}`);
        client.signals.send(signal);
      });
    }
    if (dice.roll("unmount")) at(() => this.#kernel.unmount());
    if (dice.roll("abort")) at(() => this.#kernel.abort());
  }

  #stepped(actor: number, step: Step, result: number): void {
    this.#steps++;
    if (result < 0) this.#errors++;
    this.#note(`client ${actor} ${step.do} ${result}`);
    this.#hooks.onProgress?.(this.#steps);
  }

  #note(line: string): void {
    this.#log.add(`${this.#clock.now.toFixed(3)} ${line}`);
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error.message : String(error);
  }

  /** Lets time pass, looking at everything after each step. */
  async #until(done: () => boolean, what: string): Promise<void> {
    if (this.#failure !== null) return;
    const limit = this.#clock.now + PATIENCE_US;
    const stop = await this.#clock.run(() => {
      const fault = this.#checker.check(this.#kernel);
      if (fault !== null) this.#failure ??= fault;
      return this.#failure !== null || done();
    }, limit);
    if (stop === "done") return;
    const { outstanding } = this.#kernel;
    this.#failure ??=
      `Waited for ever for ${what}: ${outstanding} requests are outstanding`;
  }

  /** Reads the whole disk once more, now that nothing goes wrong. */
  async #audit(): Promise<void> {
    if (this.#failure !== null) return;
    await this.#until(() => this.#backend.inFlight === 0, "the backend");
    this.#model.forgetLost();
    if (!this.#kernel.connected || this.#failure !== null) return;
    let done = false;
    auditDisk(this.#kernel, this.#model).then(
      () => done = true,
      (error) => {
        // An unmount that was on its way may come in between.
        done = !this.#kernel.connected && error instanceof SimError;
        if (!done) this.#fail(error);
      },
    );
    await this.#until(() => done, "the audit");
  }

  async #end(server: ThreadServer | null): Promise<void> {
    this.#kernel.unmount();
    let ended = server === null;
    server?.ended.then((ends) => {
      ended = true;
      const failed = ends.find(({ reason }) => reason === "failed");
      if (failed !== undefined) this.#fail(failed.message);
    });
    await this.#until(() => ended, "the server's end");
    const fault = this.#checker.checkEnd(this.#kernel);
    if (fault !== null) this.#failure ??= fault;
  }
}

/** Whether a plan maps the file, so that what it reads may be kept. */
function maps({ clients }: SimulationPlan): boolean {
  return clients.some(({ steps }) =>
    steps.some((step) => step.do.startsWith("map"))
  );
}
