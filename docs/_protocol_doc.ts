/**
 * docs/PROTOCOL.md, made from the table of src/protocol/.
 *
 * @module
 */
import {
  COMPAT_SIZES,
  FLAG_WORDS,
  FUSE_COMPAT_SETXATTR_IN_SIZE,
  FUSE_DEV_IOC,
  FUSE_IO_URING_CMD,
  INIT_FLAGS,
  layoutOf,
  type NotificationRow,
  NOTIFICATIONS,
  type OpcodeRow,
  OPCODES,
  type StructName,
  STRUCTS,
} from "../src/protocol/mod.ts";
import structsSource from "../src/protocol/structs.ts" with { type: "text" };

const INTRODUCTION = `# The FUSE protocol, version 7.45

Written by \`deno task doc:protocol\` from the table in \`src/protocol/\`; do not
edit. Names are those of the kernel's \`include/uapi/linux/fuse.h\`. Integers
are little-endian; offsets and sizes are bytes. "Since" is the minor version
that brought something; what was there in 7.1 has none. What 7.46 added is
marked so and never negotiated here.

A **request** is a \`fuse_in_header\`, the request's fixed struct if it has one,
what follows that (names end with a NUL, nothing is padded), and extensions:
as many times 8 bytes as \`total_extlen\` says. A **reply** is a
\`fuse_out_header\` with the request's \`unique\`, and where \`error\` is 0 the
reply's fixed structs and what follows them; with an error, nothing follows. A
**notification** is a \`fuse_out_header\` with \`unique\` 0 and the code in
\`error\`, then its struct and what follows that.`;

const REQUEST_TAILS: Readonly<Record<string, string>> = {
  name: "name",
  "name name": "two names",
  "name value": "name, `size` bytes",
  data: "`size` bytes",
  items: "items",
};

const REPLY_TAILS: Readonly<Record<string, string>> = {
  data: "up to `size` bytes",
  string: "target without NUL, up to 4095 bytes",
  dirents: "`fuse_dirent` entries",
  direntplus: "`fuse_direntplus` entries",
  value: "up to `size` bytes; `fuse_getxattr_out` where `size` is 0",
  ioctl: "bytes, or `fuse_ioctl_iovec` items for a retry",
  info: "`DEVNAME=` and a name, up to a page",
};

/** A table of Markdown. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)]
    .join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

function version(minor: number | undefined): string {
  return minor === undefined || minor <= 1 ? "" : `7.${minor}`;
}

function hexOf(value: number, digits = 0): string {
  return code(`0x${value.toString(16).padStart(digits, "0")}`);
}

function link(struct: string): string {
  return `[${code(struct)}](#${struct})`;
}

function requestTail(row: OpcodeRow): string {
  let tail = REQUEST_TAILS[row.tail ?? ""] ?? "";
  if (row.tail === "data" && row.in === "fuse_ioctl_in") {
    tail = "`in_size` bytes";
  }
  if (row.items !== undefined) tail = `\`count\` times ${link(row.items)}`;
  const parts = [tail, row.extensions ? "extensions" : ""];
  return parts.filter(Boolean).join("; ");
}

function replyOf(row: OpcodeRow): string {
  if (row.noReply) return "no reply";
  if (row.optionalReply) return "none, or an error alone";
  const parts = (row.out ?? []).map(link);
  if (row.outTail !== undefined) parts.push(REPLY_TAILS[row.outTail]!);
  return parts.join(", ") || "header alone";
}

function requests(): string {
  const rows = Object.entries<OpcodeRow>(OPCODES).map(([name, row]) => [
    String(row.opcode),
    code(name),
    version(row.since),
    row.in === undefined ? "" : link(row.in),
    requestTail(row),
    replyOf(row),
  ]);
  return [
    "## Requests",
    table(
      ["Opcode", "Name", "Since", "Fixed struct", "Then", "Reply"],
      rows,
    ),
    "Extensions are records of 8 bytes' alignment: a `fuse_ext_header` whose " +
    "`type` is 32 has the caller's groups in a " + link("fuse_supp_groups") +
    ", one up to 31 is a " + link("fuse_secctx_header") +
    " with so many security contexts.",
  ].join("\n\n");
}

function notifications(): string {
  const tails = {
    name: "name of `namelen` bytes, NUL",
    data: "`size` bytes",
    nodeids: "`count` nodeids, u64",
  };
  const rows = Object.entries<NotificationRow>(NOTIFICATIONS).map((
    [name, row],
  ) => [
    String(row.code),
    code(name),
    version(row.since),
    row.out === undefined ? "" : link(row.out),
    row.tail === undefined ? "" : tails[row.tail],
  ]);
  const head = ["Code", "Name", "Since", "Fixed struct", "Then"];
  return `## Notifications\n\n${table(head, rows)}`;
}

/** The comment above a struct in the table. */
function describe(name: StructName): string {
  const pattern = new RegExp(`/\\*\\* ([^*]*?) \\*/\\s+${name}: \\{`);
  return pattern.exec(structsSource)?.[1]?.replaceAll(/\s+/g, " ") ?? "";
}

function usersOf(name: StructName): string {
  const users: string[] = [];
  for (const [opcode, row] of Object.entries<OpcodeRow>(OPCODES)) {
    if (row.in === name || row.items === name) users.push(code(opcode));
    else if (row.out?.includes(name)) users.push(`reply to ${code(opcode)}`);
  }
  for (const [key, row] of Object.entries<NotificationRow>(NOTIFICATIONS)) {
    if (row.out === name) users.push(`notification ${code(key)}`);
  }
  return users.length === 0 ? "" : `Used by ${users.join(", ")}.`;
}

function olderForms(name: StructName): string {
  const steps: Readonly<Record<string, readonly (readonly number[])[]>> =
    COMPAT_SIZES;
  const forms = (steps[name] ?? []).map(([before, size]) =>
    `${size} before 7.${before}`
  );
  if (name === "fuse_setxattr_in") {
    forms.push(`${FUSE_COMPAT_SETXATTR_IN_SIZE} without \`SETXATTR_EXT\``);
  }
  return forms.length === 0 ? "" : `Shorter forms: ${forms.join(", ")}.`;
}

function struct(name: StructName): string {
  const { size, fields } = layoutOf(name);
  const rows = fields.map((
    { name: field, offset, size, type, count, since },
  ) => [
    String(offset),
    String(size),
    Object.hasOwn(STRUCTS, type)
      ? link(type)
      : code(count === null ? type : `${type}[${count}]`),
    code(field),
    version(since),
  ]);
  const prose = [describe(name), usersOf(name), olderForms(name)];
  return [
    `### ${name}`,
    [`${size} bytes.`, ...prose].filter(Boolean).join(" "),
    table(["Offset", "Size", "Type", "Field", "Since"], rows),
  ].join("\n\n");
}

function structs(): string {
  const names = Object.keys(STRUCTS) as StructName[];
  const note = "`size64` is a `u64` that counts bytes, blocks or files. " +
    "Behind `fuse_dirent`, `fuse_direntplus` lies the name, without NUL, " +
    "padded to 8 bytes.";
  return ["## Structs", note, ...names.map(struct)].join("\n\n");
}

function flags(): string {
  const init = Object.entries(INIT_FLAGS).map(([name, { bit, since }]) => [
    String(bit),
    code(bit < 32 ? "flags" : "flags2"),
    hexOf(2 ** (bit % 32)),
    code(`FUSE_${name}`),
    version(since),
  ]);
  const others = FLAG_WORDS.filter(({ fields }) =>
    !fields.some((field) => field.startsWith("fuse_init_"))
  ).map(({ prefix, values, since, fields }) =>
    [
      `### ${prefix}`,
      `In ${fields.map(code).join(", ")}.`,
      table(
        ["Value", "Name", "Since"],
        Object.entries(values).map(([name, value]) => [
          hexOf(value),
          code(prefix + name),
          version(since?.[name]),
        ]),
      ),
    ].join("\n\n")
  );
  return [
    "## Flags",
    "### INIT",
    "Bits 32 to 63 count where both sides set `FUSE_INIT_EXT`.",
    table(["Bit", "Word", "Value", "Name", "Since"], init),
    ...others,
  ].join("\n\n");
}

function device(): string {
  const ioctls = Object.entries(FUSE_DEV_IOC).map(([name, value]) => [
    hexOf(value, 8),
    code(`FUSE_DEV_IOC_${name}`),
  ]);
  const commands = Object.entries(FUSE_IO_URING_CMD).map(([name, value]) => [
    String(value),
    code(`FUSE_IO_URING_CMD_${name}`),
    value === 0 ? "" : version(value <= 2 ? 42 : 46),
  ]);
  return [
    "## The device",
    "ioctl(2) on /dev/fuse:",
    table(["Number", "Name"], ioctls),
    "Commands of FUSE-over-io_uring, in `cmd_op` of the SQE:",
    table(["Command", "Name", "Since"], commands),
  ].join("\n\n");
}

/** The text of docs/PROTOCOL.md. */
export function protocolDoc(): string {
  const parts = [
    INTRODUCTION,
    requests(),
    notifications(),
    structs(),
    flags(),
    device(),
  ];
  return `${parts.join("\n\n")}\n`;
}
