import { mqfuse, NBDFUSE, qemu, type ServerKind } from "../servers/servers.ts";
import type { Place, Program } from "./programs.ts";

/** A server that programs are timed on. */
export interface Contender {
  readonly kind: ServerKind;
  /** Its title in reports. */
  readonly title: string;
  /** Where it takes part. */
  readonly places: readonly Place[];
}

const ALL: readonly Place[] = ["file", "loop", "guest"];
/** A virtual machine takes long to boot. */
const MOST: readonly Place[] = ["file", "loop"];

/** cp(1) truncates what it writes to, which is refused by default. */
const OPTIONS = ["--truncate=zero"];

/** All servers, in the order of the reports. */
export const CONTENDERS: readonly Contender[] = [
  { kind: mqfuse("N", "", OPTIONS), title: "mqfuse", places: ALL },
  {
    kind: mqfuse("N", "loop-safe", [...OPTIONS, "--loop-safe"]),
    title: "mqfuse --loop-safe",
    places: ["loop"],
  },
  {
    kind: mqfuse("Y", "", OPTIONS),
    title: "mqfuse, io_uring",
    places: MOST,
  },
  { kind: qemu(0), title: "QEMU", places: ALL },
  { kind: qemu(2), title: "QEMU, 2 iothreads", places: MOST },
  { kind: NBDFUSE, title: "nbdfuse", places: ALL },
];

/** The contender of a name. */
export function contenderNamed(name: string): Contender {
  const contender = CONTENDERS.find(({ kind }) => kind.name === name);
  if (contender !== undefined) return contender;
  throw new Error(`There is no server "${name}"`);
}

/** The contenders that take part in a program. */
export function contendersFor(
  { place }: Program,
  contenders: readonly Contender[],
): Contender[] {
  return contenders.filter(({ places }) => places.includes(place));
}
