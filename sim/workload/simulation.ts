import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import { Cores, VirtualClock } from "../determinism/clock.ts";
import { EventLog } from "../determinism/event_log.ts";
import { Random } from "../determinism/random.ts";
import { Disturbances } from "../faults/disturbances.ts";
import { FaultDice } from "../faults/faults.ts";
import { SimError } from "../kernel/call.ts";
import { policyNamed } from "../kernel/policy.ts";
import { auditDisk, isLost } from "../oracle/checked_file.ts";
import { DiskModel } from "../oracle/disk_model.ts";
import { ReplyChecker } from "../oracle/reply_checker.ts";
import type { SimClient } from "../vfs/sim_client.ts";
import { SimKernel } from "../vfs/sim_kernel.ts";
import { Actor } from "./actor.ts";
import { AllowedErrors } from "./allowed_errors.ts";
import type { Step } from "./client_plan.ts";
import { SimulatedExport } from "./simulated_export.ts";
import {
  maxPayloadOf,
  type SimulationHooks,
  type SimulationOutcome,
  type SimulationPlan,
} from "./simulation_plan.ts";
import { TimelineRecorder } from "./timeline.ts";
import type { ThreadServer } from "./thread_server.ts";

/** Longest time that a phase may take, in microseconds of virtual time. */
const PATIENCE_US = 3600e6;

/**
 * Runs a plan in this thread, in virtual time.
 *
 * @param plan What is simulated; the same plan gives the same run.
 * @param hooks Ways to watch the run and to replace parts of it.
 */
export function simulatePlan(
  plan: SimulationPlan,
  hooks: SimulationHooks = {},
): Promise<SimulationOutcome> {
  return new Simulation(plan, hooks).run();
}

class Simulation {
  readonly #hooks: SimulationHooks;
  readonly #clock: VirtualClock = new VirtualClock();
  readonly #log: EventLog;
  readonly #recorder: TimelineRecorder | null;
  readonly #checker: ReplyChecker = new ReplyChecker();
  readonly #dice: FaultDice;
  readonly #kernel: SimKernel;
  readonly #model: DiskModel;
  readonly #export: SimulatedExport;
  readonly #statistics: QueueStatistics;
  readonly #disturbances: Disturbances;
  readonly #actors: readonly Actor[];
  readonly #processes: readonly SimClient[];
  #steps = 0;
  #errors = 0;
  #failure: string | null = null;

  constructor(plan: SimulationPlan, hooks: SimulationHooks) {
    // The order of the forks decides what every seed means.
    const random = new Random(plan.seed);
    const wakes = random.fork();
    this.#hooks = hooks;
    this.#log = new EventLog(this.#clock, hooks.keepsLog ?? false);
    this.#recorder = hooks.onTimeline
      ? new TimelineRecorder(this.#clock)
      : null;
    this.#dice = new FaultDice(plan.rates, random.fork());
    const recorder = this.#recorder;
    if (recorder !== null) {
      this.#dice.onFault = (name, queue) => recorder.fault(name, queue);
    }
    const disturbing = random.fork();
    const cores = new Cores(this.#clock, plan.cores);
    this.#kernel = this.#mount(plan, wakes, random);
    this.#disturbances = new Disturbances({
      dice: this.#dice,
      random: disturbing,
      clock: this.#clock,
      log: this.#log,
      kernel: this.#kernel,
    });
    const errors = new AllowedErrors(plan, this.#dice);
    this.#model = new DiskModel({
      size: plan.size,
      growable: plan.growable,
      mayFail: errors.mayBeShort,
    });
    this.#kernel.inode.pages.onFailure = (error, position, bytes) => {
      // The server may still write pages that it took from a closed queue, and
      // with them bytes that later writes to the same pages had not changed.
      if (isLost(error)) this.#model.mayComeLate(position, bytes);
    };
    this.#statistics = QueueStatistics.create(this.#kernel.queues.length);
    this.#export = new SimulatedExport({
      plan,
      hooks,
      kernel: this.#kernel,
      clock: this.#clock,
      cores,
      dice: this.#dice,
      log: this.#log,
      checker: this.#checker,
      statistics: this.#statistics,
      recorder: this.#recorder,
    });
    this.#actors = plan.clients.map((client, index) =>
      new Actor(client, {
        index,
        mount: this.#kernel,
        model: this.#model,
        clock: this.#clock,
        cores,
        clientUs: plan.costs.clientUs,
        mayFail: (step, errno) => errors.mayFail(step, errno),
        onStep: (actor, step, result) => this.#stepped(actor, step, result),
      })
    );
    this.#processes = this.#actors.map(({ client }) => client);
  }

  #mount(plan: SimulationPlan, wakes: Random, random: Random): SimKernel {
    const [wakeMin, wakeMax] = plan.costs.wakeUs;
    const isUring = plan.policy === "uring";
    const policy = plan.policy === "uring"
      ? {}
      : { policy: policyNamed(plan.policy, random.fork()) };
    return new SimKernel({
      queues: plan.queues,
      capacity: plan.capacity,
      maxPayload: maxPayloadOf(plan),
      uring: isUring,
      clock: this.#clock,
      wakeUs: () => wakeMin + (wakeMax - wakeMin) * wakes.fraction(),
      ...policy,
      onPending: (request) => this.#recorder?.pending(request),
      onWake: (...wake) => this.#recorder?.woke(...wake),
      onTaken: (taken) => {
        this.#recorder?.taken(taken);
        this.#checker.taken(taken);
        const { queue, unique, call } = taken;
        this.#log.add(`take ${queue} ${unique} ${call.opcode}`);
        this.#disturbances.afterRequest(this.#processes);
      },
      onReply: (reply) => {
        this.#recorder?.replied(reply);
        this.#checker.replied(reply);
        const { queue, unique, errno, length } = reply;
        this.#log.add(`reply ${queue} ${unique} ${errno} ${length}`);
      },
    });
  }

  async run(): Promise<SimulationOutcome> {
    let server: ThreadServer | null = null;
    this.#export.start().then(
      (started) => server = started,
      (error) => this.#fail(error),
    );
    await this.#until(() => server !== null, "INIT");
    let finished = 0;
    for (const actor of this.#actors) {
      actor.run().then(() => finished++, (error) => this.#fail(error));
    }
    await this.#until(() => finished === this.#actors.length, "a client");
    const virtualUs = this.#clock.now;
    this.#dice.armed = false;
    const queues = this.#statistics.totals();
    const { spuriousWakeups } = this.#kernel;
    this.#tellTimeline();
    await this.#audit();
    await this.#end(server);
    return {
      failure: this.#failure,
      virtualUs: Math.round(virtualUs),
      steps: this.#steps,
      errors: this.#errors,
      queues,
      spuriousWakeups,
      faults: this.#dice.counts,
      events: this.#log.count,
      logHash: this.#log.hash,
      log: this.#log.lines,
    };
  }

  #tellTimeline(): void {
    if (this.#recorder === null) return;
    const { length } = this.#kernel.queues;
    const timeline = this.#recorder.timeline(this.#actors.length, length);
    this.#hooks.onTimeline?.(timeline);
  }

  #stepped(actor: number, step: Step, result: number): void {
    this.#steps++;
    if (result < 0) this.#errors++;
    this.#log.add(`client ${actor} ${step.do} ${result}`);
    this.#hooks.onProgress?.(this.#steps);
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error.message : String(error);
  }

  /** Advances the time, and checks everything after each event. */
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
      `Cannot finish the run: ${what} never ended; ${outstanding} requests are outstanding`;
  }

  /** Reads and checks the whole disk, after faults have stopped. */
  async #audit(): Promise<void> {
    if (this.#failure !== null) return;
    await this.#until(() => this.#export.inFlight === 0, "the backend");
    this.#model.forgetLost();
    if (!this.#kernel.connected || this.#failure !== null) return;
    let done = false;
    auditDisk(this.#kernel, this.#model).then(
      () => done = true,
      (error) => {
        // An unmount that was already scheduled may end the audit.
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
