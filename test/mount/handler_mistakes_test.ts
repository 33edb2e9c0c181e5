/**
 * Mistakes of a handler on a real mount: the client gets an error at once, the
 * report says what was wrong, and everything else goes on.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { mountTest } from "./_harness.ts";
import { LineProcess } from "./_lines.ts";
import { ALL } from "./_mistaken_module.ts";
import { uringTest } from "./_uring.ts";

const CLIENT = new URL("./_mistaken_client.py", import.meta.url).pathname;
const PROGRAM = new URL("./_mistaken_program.ts", import.meta.url).pathname;
/** Milliseconds in which a client gets its error. */
const ANSWER_MS = 1000;
/** Attempts, on a loaded machine. */
const ATTEMPTS = 3;
/** Requests that the client can cause as the mistake needs them. */
const CAUSED = [
  ...["READ", "WRITE", "LSEEK", "GETATTR", "LOOKUP", "OPEN", "MKDIR"],
  ...["READDIR", "READLINK", "LISTXATTR"],
];

async function meetMistakes(
  directory: string,
  transport: "device" | "uring",
  place: "worker" | "here",
): Promise<void> {
  const mountpoint = `${directory}/mnt`;
  await Deno.mkdir(mountpoint);
  await using server = new LineProcess(
    Deno.execPath(),
    ...["run", "-A", "--no-check", PROGRAM, mountpoint, transport, place],
  );
  const ready = { event: "ready", transport };
  assertEquals(JSON.parse(await server.next()), ready);
  try {
    await using other = new LineProcess(
      "python3",
      CLIENT,
      `${mountpoint}/right`,
    );
    await using client = new LineProcess("python3", CLIENT);
    for (const number of ALL.keys()) {
      if (!CAUSED.includes(requestOf(number))) continue;
      await meet(number, mountpoint, client, server);
    }
    await other.closeInput();
    assertMatch(await other.next(), /^[1-9]\d* -$/);
  } finally {
    server.terminate();
  }
  const end = { event: "closed", problems: [], clean: true };
  assertEquals(JSON.parse(await server.next()), end);
}

function requestOf(number: number): string {
  return ALL[number]!.request?.[0] ?? "READ";
}

/** Meets a mistake, several times if the machine was too slow for the limit. */
async function meet(
  number: number,
  mountpoint: string,
  client: LineProcess,
  server: LineProcess,
): Promise<void> {
  const { name, errno = ERRNO.EIO, reports } = ALL[number]!;
  const request = requestOf(number);
  let ms = Infinity;
  for (let i = 0; i < ATTEMPTS && ms > ANSWER_MS; i++) {
    await client.send(`${request} ${mountpoint}/${number}`);
    const answer = (await client.next()).split(" ").map(Number);
    assertEquals(answer[0], errno, name);
    ms = answer[1]!;
    await server.until(() => server.lines.length >= reports.length);
    const told = server.lines.splice(0).map((line) => JSON.parse(line));
    assertEquals(told.length, reports.length, `${name}: ${told}`);
    for (const [at, { text, during }] of told.entries()) {
      assertEquals(during, ALL[number]!.during ?? request);
      assertMatch(text, anyUnique(reports[at]!), name);
    }
  }
  assert(ms <= ANSWER_MS, `${name} took ${ms} ms`);
}

/** The kernel chooses the id. */
function anyUnique({ source }: RegExp): RegExp {
  return new RegExp(source.replace("unique 4", "unique \\d+"));
}

mountTest(
  "a module's mistakes cost only the requests that meet them",
  (directory) => meetMistakes(directory, "device", "worker"),
  ["python3"],
);

mountTest(
  "mistakes of a handler on the calling thread cost only their requests",
  (directory) => meetMistakes(directory, "device", "here"),
  ["python3"],
);

uringTest(
  "a module's mistakes cost only the requests that meet them, over io_uring",
  (directory) => meetMistakes(directory, "uring", "worker"),
  ["python3"],
);
