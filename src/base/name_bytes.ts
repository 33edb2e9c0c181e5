/**
 * Names of files, paths, arguments and environment variables as strings. To the
 * kernel they are bytes, which need not be UTF-8. Each byte that is not, is kept
 * as a lone surrogate from U+DC80 to U+DCFF, as Python does it
 * (https://peps.python.org/pep-0383/), so that the bytes can be had back.
 *
 * @module
 */

const ENCODER = new TextEncoder();
// A byte order mark at the start of a name belongs to the name.
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
/** Makes U+FFFD of what is not UTF-8, which costs less than an exception. */
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
const REPLACEMENT = "\ufffd";
const REPLACEMENT_BYTES = ENCODER.encode(REPLACEMENT);

/** A byte of 0x80 and more, as a character: this is added to it. */
const ESCAPE = 0xdc00;
const FIRST_ESCAPE = ESCAPE + 0x80;
const LAST_ESCAPE = ESCAPE + 0xff;

/**
 * The bytes of a name.
 *
 * @param name Any text. A surrogate that is neither half of a pair nor stands
 * for a byte has no bytes; it becomes those of U+FFFD.
 * @category Writing a file system
 */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  if (name.isWellFormed()) return ENCODER.encode(name);
  const bytes: number[] = [];
  // Each step is a whole pair of surrogates, or a lone one.
  for (const character of name) {
    const code = character.codePointAt(0)!;
    if (isEscape(code)) bytes.push(code - ESCAPE);
    else bytes.push(...ENCODER.encode(character));
  }
  return Uint8Array.from(bytes);
}

/**
 * The name that bytes spell.
 *
 * @param bytes Any bytes.
 * @category Writing a file system
 */
export function decodeName(bytes: Uint8Array): string {
  // A TextDecoder does not take shared memory.
  const own = isUnshared(bytes) ? bytes : bytes.slice();
  const name = LENIENT.decode(own);
  return name.includes(REPLACEMENT)
    ? decodeUtf8(own) ?? decodeMixed(own)
    : name;
}

function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}

/** Whether {@linkcode encodeName} gives bytes that spell exactly this name. */
export function isName(name: string): boolean {
  if (name.isWellFormed()) return true;
  for (const character of name) {
    if (!character.isWellFormed() && !isEscape(character.charCodeAt(0))) {
      return false;
    }
  }
  return true;
}

function isEscape(code: number): boolean {
  return code >= FIRST_ESCAPE && code <= LAST_ESCAPE;
}

function decodeMixed(bytes: Uint8Array<ArrayBuffer>): string {
  let name = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at]!);
    const character = at + length <= bytes.length
      ? decodeCharacter(bytes.subarray(at, at + length))
      : null;
    if (character === null) name += String.fromCharCode(ESCAPE + bytes[at]!);
    else name += character;
    at += character === null ? 1 : length;
  }
  return name;
}

/** The character of a sequence; `null` if it is none. */
function decodeCharacter(bytes: Uint8Array<ArrayBuffer>): string | null {
  const text = LENIENT.decode(bytes);
  if (!text.includes(REPLACEMENT)) return text;
  const isItself = REPLACEMENT_BYTES.every((byte, i) => byte === bytes[i]);
  return isItself ? text : null;
}

/** The length of the UTF-8 sequence that a byte starts, if it starts one. */
function sequenceLength(lead: number): number {
  if (lead < 0xe0) return lead < 0xc0 ? 1 : 2;
  return lead < 0xf0 ? 3 : 4;
}

function decodeUtf8(bytes: Uint8Array<ArrayBuffer>): string | null {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}
