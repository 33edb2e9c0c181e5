import { quoteName } from "../../../base/quote_name.ts";
import type { ImageDescription } from "../../driver.ts";
import { formatSize } from "../../size.ts";
import type { EXPORT_FLAG } from "./constants.ts";
import { has, type NbdBackend } from "./nbd_backend.ts";

const CAPABILITIES: readonly (readonly [keyof typeof EXPORT_FLAG, string])[] = [
  ["READ_ONLY", "read-only"],
  ["CAN_MULTI_CONN", "several connections"],
  ["SEND_FLUSH", "flush"],
  ["SEND_TRIM", "discard"],
  ["SEND_WRITE_ZEROES", "zeroing"],
];

/** What an NBD server says of an export and of the others that it has. */
export function describeNbd(backend: NbdBackend): ImageDescription {
  const { exported, names, size } = backend;
  const { minBlock, preferredBlock, maxPayload, allocationId } = exported;
  const capabilities = CAPABILITIES.filter(([flag]) => has(exported, flag))
    .map(([, text]) => text);
  if (allocationId !== null) capabilities.push("holes");
  return {
    size,
    facts: {
      exports: names,
      capabilities,
      minBlock,
      preferredBlock,
      maxPayload,
    },
    rows: [
      ["NBD", capabilities.join(", ") || "no capabilities"],
      [
        "Requests",
        `of ${formatSize(minBlock)} to ${formatSize(maxPayload)}, best from ${
          formatSize(preferredBlock)
        } on`,
      ],
      ...exportRows(names),
    ],
  };
}

function exportRows(names: readonly string[] | null): [string, string][] {
  if (names === null) return [["Exports", "not told by the server"]];
  return names.map((name, i) => [i === 0 ? "Exports" : "", quoteName(name)]);
}
