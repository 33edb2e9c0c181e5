/**
 * The lanes of a timeline: which bars lie where, in microseconds and in pixels
 * from the top.
 *
 * @module
 */
import type { Timeline, TimelineRequest } from "../../../sim/mod.ts";

/** The part of virtual time that is drawn, in microseconds. */
export interface Window {
  /** Its start. */
  readonly from: number;
  /** Its end. */
  readonly to: number;
}

/** A bar: a request, or a reader that wakes up. */
export interface Bar {
  /** Its start in microseconds. */
  readonly from: number;
  /** Its end. */
  readonly to: number;
  /** Pixels from the top of the lane. */
  readonly y: number;
  /** Pixels. */
  readonly height: number;
  /** The index of its request; `null` for a reader that wakes up. */
  readonly request: number | null;
  /** Whether it is a reader that found nothing. */
  readonly isVain: boolean;
}

/** A fault, drawn in the lane of its queue. */
export interface Mark {
  /** When, in microseconds. */
  readonly at: number;
  /** The fault's name. */
  readonly name: string;
}

/** A lane. */
export interface Lane {
  /** Its name. */
  readonly label: string;
  /** What its bars are. */
  readonly kind: "faults" | "client" | "pending" | "queue" | "worker";
  /** Its height in pixels. */
  readonly height: number;
  /** Whether a line separates it from the lane above. */
  readonly begins: boolean;
  /** Its bars. */
  readonly bars: readonly Bar[];
  /** The faults in it. */
  readonly marks: readonly Mark[];
}

/** Heights in pixels. */
const WORKER_HEIGHT = 18;
const QUEUE_ROW = 9;
const ROW = 7;
const ROW_MIN = 2;
/** Room for a label. */
const LANE_MIN = 14;
const LANE_MAX = 110;
const FAULTS_HEIGHT = 18;

/** An interval of a request. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly request: number;
}

/**
 * Lays out the lanes: faults, clients, the pending list, and for each queue the
 * requests that it holds and the work of its thread.
 */
export function lanesOf(timeline: Timeline, window: Window): Lane[] {
  const { requests, clients, queues, faults } = timeline;
  const spans = new Spans(requests, window);
  const marks = (queue: number | null) =>
    faults.filter((fault) => fault.queue === queue && isIn(fault.at, window));
  const general = marks(null);
  return [
    ...general.length === 0 ? [] : [{
      label: "faults",
      kind: "faults" as const,
      height: FAULTS_HEIGHT,
      begins: false,
      bars: [],
      marks: general,
    }],
    ...times(clients, (client) =>
      packed(
        "client",
        `client ${client}`,
        spans.of(
          (request) => request.client === client,
          ({ made, ended }) => [made, ended],
        ),
        ROW,
      )),
    packed(
      "pending",
      "pending",
      spans.of(() => true, ({ pending, taken, ended }) => [
        pending,
        taken ?? ended,
      ]),
      ROW,
    ),
    ...times(queues, (queue) => [
      packed(
        "queue",
        `queue ${queue}`,
        spans.of(
          (request) => request.queue === queue && request.taken !== null,
          ({ taken, ended }) => [taken!, ended],
        ),
        QUEUE_ROW,
      ),
      workerLane(timeline, queue, spans, window, marks(queue)),
    ]).flat(),
  ];
}

/** Finds the requests in a window. */
class Spans {
  readonly #requests: readonly TimelineRequest[];
  readonly #window: Window;

  constructor(requests: readonly TimelineRequest[], window: Window) {
    this.#requests = requests;
    this.#window = window;
  }

  of(
    isWanted: (request: TimelineRequest) => boolean,
    times: (request: TimelineRequest) => readonly [number, number | null],
  ): Span[] {
    const { from: start, to: end } = this.#window;
    return this.#requests.flatMap((each, request) => {
      if (!isWanted(each)) return [];
      const [from, to] = times(each);
      const span = { from, to: to ?? end, request };
      return span.to > start && span.from < end ? [span] : [];
    });
  }
}

/** A lane whose bars are put into as few rows as they need. */
function packed(
  kind: Lane["kind"],
  label: string,
  spans: readonly Span[],
  row: number,
): Lane {
  const ends: number[] = [];
  const rows = spans.toSorted((a, b) => a.from - b.from).map((span) => {
    const free = ends.findIndex((end) => end <= span.from);
    const at = free < 0 ? ends.length : free;
    ends[at] = span.to;
    return { span, at };
  });
  const count = Math.max(1, ends.length);
  const most = Math.min(Math.max(row, LANE_MIN / count), LANE_MAX / count);
  const height = Math.max(ROW_MIN, most);
  return {
    label,
    kind,
    height: count * height,
    begins: true,
    bars: rows.map(({ span, at }) => ({
      ...span,
      y: at * height,
      height: height - (height > 4 ? 1 : 0.4),
      isVain: false,
    })),
    marks: [],
  };
}

function workerLane(
  { wakes }: Timeline,
  queue: number,
  spans: Spans,
  window: Window,
  marks: readonly Mark[],
): Lane {
  const work = spans.of(
    (request) => request.queue === queue && request.work !== null,
    ({ work }) => work!,
  );
  const woken = wakes.filter((wake) =>
    wake.queue === queue && wake.to > window.from && wake.from < window.to
  );
  return {
    label: `worker ${queue}`,
    kind: "worker",
    height: WORKER_HEIGHT,
    begins: false,
    bars: [
      ...woken.map(({ from, to, found }) => ({
        from,
        to,
        y: WORKER_HEIGHT / 4,
        height: WORKER_HEIGHT / 2,
        request: null,
        isVain: !found,
      })),
      ...work.map((span) => ({
        ...span,
        y: 1,
        height: WORKER_HEIGHT - 2,
        isVain: false,
      })),
    ],
    marks,
  };
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function isIn(at: number, { from, to }: Window): boolean {
  return at >= from && at <= to;
}
