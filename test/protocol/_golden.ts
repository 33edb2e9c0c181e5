/**
 * Golden messages: recorded from the kernel and kept in `golden/` as annotated
 * hex. A file has the messages of one opcode:
 *
 * ```text
 * # READ: messages of Linux 6.18 and a server.
 *
 * @ minor=45 setxattrExt=true
 *
 * == READ request: head -c 16 hello.txt
 * 50 00 00 00              # len 80
 * ...
 *
 * == READ reply: head -c 16 hello.txt
 * ...
 * ```
 *
 * Lines of hex may have any length; `#` starts a comment. A reply answers the last
 * request in its file with the same `unique`. `@` is the negotiated version of the
 * messages after it. `deno task golden` records the files again; `deno task golden
 * LOG` creates them from wire logs.
 *
 * @module
 */
import {
  opcodeName,
  ProtocolVersion,
  WireDecoder,
  type WireMessage,
} from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { annotate } from "./_annotate.ts";
import { unhex } from "./_hex.ts";

/** The kinds of golden messages. */
export type GoldenKind = "request" | "reply" | "notification";

/** One message from a golden file. */
export interface GoldenMessage {
  /** The name of its opcode or notification. */
  readonly name: string;
  /** Its kind. */
  readonly kind: GoldenKind;
  /** The action of a client that caused it. */
  readonly cause: string;
  /** The message. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The request that a reply answers. */
  readonly request?: Uint8Array<ArrayBuffer>;
  /** The negotiated version. */
  readonly protocolVersion: ProtocolVersion;
  /** Its lines in the file, without the heading. */
  readonly lines: readonly string[];
}

const HEADING = /^== (\w+) (request|reply|notification): (.*)$/;
const DIALECT = /^@ minor=(\d+) setxattrExt=(true|false)$/;

/** Parses a golden file. */
export function parseGolden(text: string): GoldenMessage[] {
  const messages: GoldenMessage[] = [];
  const requests = new Map<bigint, Uint8Array<ArrayBuffer>>();
  let protocolVersion = new ProtocolVersion();
  let heading: RegExpExecArray | null = null;
  let lines: string[] = [];

  function finish(): void {
    if (heading === null) return;
    const [, name, kind, cause] = heading;
    const bytes = unhex(lines.join("\n"));
    const unique = viewOf(bytes).getBigUint64(8, true);
    if (kind === "request") requests.set(unique, bytes);
    const request = kind === "reply" ? requests.get(unique) : undefined;
    messages.push({
      name: name!,
      kind: kind as GoldenKind,
      cause: cause!,
      bytes,
      ...(request === undefined ? {} : { request }),
      protocolVersion,
      lines,
    });
    heading = null;
    lines = [];
  }

  for (const line of [...text.split("\n"), "== END request: "]) {
    const isNegotiated = DIALECT.exec(line);
    const head = HEADING.exec(line);
    if (isNegotiated !== null || head !== null) finish();
    if (isNegotiated !== null) {
      const [, minor, setxattrExt] = isNegotiated;
      protocolVersion = new ProtocolVersion({
        minor: Number(minor),
        setxattrExt: setxattrExt === "true",
      });
    } else if (head !== null) {
      heading = head;
    } else if (heading !== null && line !== "") {
      lines.push(line);
    }
  }
  return messages;
}

/**
 * Converts a wire log to golden files: the text by file name.
 *
 * @param log The messages.
 * @param source Where they come from, such as `Linux 6.18`.
 */
export function goldenFiles(
  log: readonly (WireMessage & { readonly note: string })[],
  source: string,
): Map<string, string> {
  const picked = new Map<string, string[]>();
  const decoder = new Picker();
  for (const message of log) {
    const found = decoder.take(message);
    if (found === null) continue;
    const file = `${found.name.toLowerCase()}.txt`;
    const lines = picked.get(file) ?? [
      `# ${found.name}: messages of ${source} and a server.`,
    ];
    picked.set(file, lines);
    const { minor, setxattrExt } = found.protocolVersion;
    const isNegotiated = `@ minor=${minor} setxattrExt=${setxattrExt}`;
    if (lines.findLast((line) => line.startsWith("@")) !== isNegotiated) {
      lines.push("", isNegotiated);
    }
    for (const [kind, bytes] of found.messages) {
      lines.push("", `== ${found.name} ${kind}: ${message.note}`);
      lines.push(
        ...annotate(bytes, kind === "request" ? "<-" : "->", {
          protocolVersion: found.protocolVersion,
          ...(kind === "reply" ? { request: found.messages[0]![1] } : {}),
        }),
      );
    }
  }
  const text = [...picked].map(([file, lines]) =>
    [file, `${lines.join("\n")}\n`] as const
  );
  return new Map(text.sort(([a], [b]) => a < b ? -1 : 1));
}

interface Picked {
  readonly name: string;
  readonly protocolVersion: ProtocolVersion;
  readonly messages: readonly (readonly [GoldenKind, Uint8Array])[];
}

/** How many messages of one kind are kept, and their longest size. */
const KEPT_MAX = 4;
const LENGTH_MAX = 1200;
const NO_REPLY = new Set([
  "FORGET",
  "BATCH_FORGET",
  "NOTIFY_REPLY",
  "INTERRUPT",
]);

/** Selects messages whose structure differs, not just their numbers. */
class Picker {
  readonly #decoder = new WireDecoder();
  readonly #requests = new Map<bigint, [Uint8Array, ProtocolVersion]>();
  readonly #seen = new Map<string, Set<string>>();

  take(message: WireMessage): Picked | null {
    const { bytes } = message;
    const { protocolVersion } = this.#decoder;
    const record = this.#decoder.decode(message);
    if (typeof record === "string" || bytes.length > LENGTH_MAX) return null;
    const { unique, opcode } = record;
    const shape = Object.entries(record.fields)
      .filter(([field]) => !/^(fh|.*time.*|nodeid|lock_owner|ino)$/.test(field))
      .map(([field, value]) => /flags|valid|errno/.test(field) ? value : field);
    if (record.notification !== undefined) {
      const name = `NOTIFY_${record.notification}`;
      const messages = [["notification", bytes]] as const;
      return this.#new(name, "") ? { name, protocolVersion, messages } : null;
    }
    const name = opcodeName(opcode)!;
    if (message.direction === "<-") {
      this.#requests.set(unique, [bytes, protocolVersion]);
      if (!NO_REPLY.has(name)) return null;
      const messages = [["request", bytes]] as const;
      return this.#new(name, `${shape}`)
        ? { name, protocolVersion, messages }
        : null;
    }
    const [request, before] = this.#requests.get(unique)!;
    if (request.length > LENGTH_MAX) return null;
    const isNegotiated = name === "INIT" ? `${record.fields.flags}` : "";
    const key = `${record.errno} ${request.length} ${
      requestShape(request)
    } ${isNegotiated}`;
    if (!this.#new(name, key)) return null;
    const messages = [["request", request], ["reply", bytes]] as const;
    return { name, protocolVersion: before, messages };
  }

  #new(name: string, shape: string): boolean {
    const seen = this.#seen.get(name) ?? new Set();
    this.#seen.set(name, seen);
    if (seen.has(shape) || seen.size >= KEPT_MAX) return false;
    seen.add(shape);
    return true;
  }
}

/** Which words of a request's fixed struct say something. */
function requestShape(request: Uint8Array): string {
  const words = request.subarray(40, 72);
  return Array.from(words, (byte) => byte === 0 ? 0 : 1).join("");
}
