import type { Cell } from "../fio/cells.ts";
import { measure as measureCells } from "../fio/rounds.ts";
import { QCOW2_FORMS, Qcow2Images } from "../fio/qcow2_images.ts";
import { type Qcow2Section, type Section, SECTIONS } from "../fio/sections.ts";
import { isOfUse, SERVERS } from "../fio/servers.ts";
import { findExecutable } from "../../src/linux/syscall/process.ts";
import { type IdleCell, measureIdle } from "../idle/idle.ts";
import { makeMaterials } from "../programs/materials.ts";
import { measure as measurePrograms } from "../programs/measure.ts";
import { CONTENDERS } from "../programs/servers.ts";
import type { Guard } from "../servers/guard.ts";
import { type Environment, whyNot } from "../servers/machine.ts";
import { mqfuse, type ServerKind } from "../servers/servers.ts";
import { fillImage, withDirectory } from "./image.ts";
import { type Item, itemOf } from "./items.ts";
import type { Options } from "./options.ts";
import { pick } from "./pick.ts";
import type { Results } from "./results.ts";
import { whyNoProgram } from "./why_no_program.ts";

/** What a measurement needs. */
export interface Measurement {
  /** What is left to be measured. */
  readonly items: readonly Item[];
  readonly options: Options;
  readonly environment: Environment;
  readonly guard: Guard;
  readonly signal: AbortSignal;
  /** No item begins after this time of performance.now(). */
  readonly deadline: number;
  /** Receives the figures. */
  readonly results: Results;
  /** A run begins. */
  readonly onRun: (what: string) => void;
  /** An item is complete. */
  readonly onItem: (name: string) => void;
}

/** All servers of all parts. */
const KINDS = [...SERVERS, ...CONTENDERS].map(({ kind }) => kind);

/**
 * Measures all items, and adds their figures to the results.
 *
 * @throws If it is cancelled; everything that it started has ended then.
 */
export async function measureAll(all: Measurement): Promise<void> {
  for (const section of Object.keys(SECTIONS) as Section[]) {
    const cells = all.items.flatMap((item) => "cell" in item ? item.cell : [])
      .filter((cell) => cell.section === section);
    if (cells.length > 0 && !isLate(all)) await measureSection(cells, all);
  }
  for (const item of all.items) {
    if ("idle" in item && !isLate(all)) await measureIdleItem(item.idle, all);
  }
  if (!isLate(all)) await measureAllPrograms(all);
}

function isLate({ deadline }: Measurement): boolean {
  return performance.now() >= deadline;
}

async function measureIdleItem(
  idle: IdleCell,
  all: Measurement,
): Promise<void> {
  const { options, environment, guard, signal, results } = all;
  all.onRun(idle.name);
  const why = whyNot(mqfuse(idle.setting), environment);
  try {
    if (why !== null) throw new Error(why);
    await withDirectory(options.directory, guard, async (directory) => {
      const { runtimeMs } = options;
      results.idle.push(
        await measureIdle(idle, { directory, runtimeMs, guard, signal }),
      );
    });
  } catch (error) {
    signal.throwIfAborted();
    addNote(`${idle.name} was left out: ${(error as Error).message}`, results);
  }
  all.onItem(idle.name);
}

async function measureSection(
  cells: readonly Cell[],
  all: Measurement,
): Promise<void> {
  const { options, environment: { peers }, results } = all;
  const { section, driver } = cells[0]!;
  if (driver === "qcow2" && findExecutable("qemu-img") === null) {
    addNote(`${section} was left out: qemu-img makes its images.`, results);
    return cells.forEach(({ name }) => all.onItem(name));
  }
  if (driver === "nbd" && peers.nbdkit === undefined) {
    addNote(`${section} was left out: nbdkit serves its disks.`, results);
    return cells.forEach(({ name }) => all.onItem(name));
  }
  const cpus = navigator.hardwareConcurrency;
  const useful = SERVERS.filter((server) => isOfUse(server, cpus))
    .filter((server) => cells.some(server.measures));
  const kinds = present(useful.map(({ kind }) => kind), all);
  const parent = section === "disk" ? options.disk : options.directory;
  await withDirectory(parent, all.guard, async (directory) => {
    await measureCells({
      ...all,
      ...options,
      cells,
      servers: useful.filter(({ kind }) => kinds.includes(kind)),
      imageFor: await makeImages(section, directory, all),
      peers,
      directory,
    }, {
      onRun: all.onRun,
      onSample: (sample) => results.samples.push(sample),
      onCell: ({ name }) => all.onItem(name),
      onNote: (note) => addNote(note, results),
    });
  });
}

/** Makes what a section exports; returns the image for each server. */
async function makeImages(
  section: Section,
  directory: string,
  { options: { size }, signal, onRun }: Measurement,
): Promise<(server: string) => Promise<string>> {
  if (section === "null" || section === "nbd") {
    return () => Promise.resolve("");
  }
  onRun("writing the image");
  if (section in QCOW2_FORMS) {
    const setup = { directory, size, signal };
    const images = new Qcow2Images(section as Qcow2Section, setup);
    await images.prepare();
    return (server) => images.imageFor(server);
  }
  const image = `${directory}/disk.raw`;
  await fillImage(image, size, signal);
  return () => Promise.resolve(image);
}

async function measureAllPrograms(all: Measurement): Promise<void> {
  const { options, environment: { peers }, results } = all;
  const programs = all.items.flatMap((item) =>
    "program" in item ? item.program : []
  ).filter((program) => {
    const why = whyNoProgram(program, options.guest);
    if (why === null) return true;
    addNote(why, results);
    all.onItem(itemOf(program));
    return false;
  });
  if (programs.length === 0) return;
  const kinds = present(CONTENDERS.map(({ kind }) => kind), all);
  await withDirectory(options.directory, all.guard, async (directory) => {
    all.onRun("writing what programs work on");
    await measurePrograms({
      ...all,
      programs,
      contenders: CONTENDERS.filter(({ kind }) => kinds.includes(kind)),
      rounds: options.rounds,
      materials: await makeMaterials(
        new Set(programs.map(({ place }) => place)),
        { ...options, directory, signal: all.signal },
      ),
      peers,
      directory,
    }, {
      onRun: all.onRun,
      onDone: (run) => {
        if (run !== null) results.runs.push(run);
      },
      onProgram: (program) => all.onItem(itemOf(program)),
      onNote: (note) => addNote(note, results),
    });
  });
}

/** The servers that were asked for and can be measured; notes the others. */
function present(
  kinds: readonly ServerKind[],
  { options, environment, results }: Measurement,
): ServerKind[] {
  const wanted = pick(KINDS, options.servers, "servers");
  return kinds.filter((kind) => {
    if (!wanted.some(({ name }) => name === kind.name)) return false;
    const why = whyNot(kind, environment);
    if (why !== null) addNote(why, results);
    return why === null;
  });
}

function addNote(note: string, { notes }: Results): void {
  if (!notes.includes(note)) notes.push(note);
}
