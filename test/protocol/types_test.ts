import { assertEquals } from "@std/assert";
import {
  accessors,
  type AnyNotification,
  type AnyRequest,
  type Decoded,
  decodeReply,
  decodeRequest,
  type Encodable,
  encodeRequest,
  type FieldName,
  type FieldsOf,
  type FieldType,
  type ItemStruct,
  type ReplyStruct,
  type RequestStruct,
  type StructName,
} from "../../src/protocol/mod.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles if two types are the same. */
function same<_T extends true>(): void {}

Deno.test("types of structs follow from the table", () => {
  same<Equal<FieldType<"fuse_attr", "ino">, "u64">>();
  same<Equal<FieldType<"fuse_attr", "flags">, "u32">>();
  same<Equal<FieldType<"fuse_init_in", "unused">, "u32[11]">>();
  same<Equal<Decoded<"fuse_forget_in">, { nlookup: bigint }>>();
  same<
    Equal<
      Decoded<"fuse_setxattr_in">,
      { size: number; flags: number; setxattr_flags: number; padding: number }
    >
  >();
  same<Equal<Decoded<"fuse_init_out">["unused"], number[]>>();
  same<Equal<Decoded<"fuse_uring_req_header">["in_out"], number[]>>();
  same<
    Equal<Decoded<"fuse_entry_out">["attr"], Decoded<"fuse_attr">>
  >();
  same<
    Equal<
      Encodable<"fuse_open_in">,
      { readonly flags?: number; readonly open_flags?: number }
    >
  >();
  same<
    Equal<FieldName<"fuse_out_header">, "len" | "error" | "unique">
  >();
  same<Equal<FieldsOf<"fuse_read_in", "size64">, "offset">>();
});

Deno.test("types of messages follow from the opcode", () => {
  same<Equal<RequestStruct<"READ">, "fuse_read_in">>();
  same<Equal<RequestStruct<"LOOKUP">, never>>();
  same<Equal<RequestStruct<"READ" | "GETLK">, "fuse_read_in" | "fuse_lk_in">>();
  same<Equal<ItemStruct<"BATCH_FORGET">, "fuse_forget_one">>();
  same<
    Equal<ReplyStruct<"CREATE">, "fuse_entry_out" | "fuse_open_out">
  >();
  same<
    Equal<
      Extract<AnyRequest, { name: "READ" }>["body"],
      Decoded<"fuse_read_in">
    >
  >();
  same<
    Equal<
      Extract<AnyNotification, { notification: "POLL" }>["body"],
      Decoded<"fuse_notify_poll_wakeup_out">
    >
  >();
});

Deno.test("wrong uses of the table do not compile", () => {
  const read = decodeRequest(encodeRequest("READ"));
  if (read.name !== "READ") throw new Error(read.name);
  same<Equal<typeof read.body.offset, bigint>>();
  const READ_IN = accessors("fuse_read_in");
  same<Equal<ReturnType<typeof READ_IN.get.fh>, bigint>>();
  same<Equal<ReturnType<typeof READ_IN.number.offset>, number>>();
  // @ts-expect-error: an identifier is never read as a number
  const fh = READ_IN.number.fh;
  // @ts-expect-error: no such struct
  const name: StructName = "fuse_nothing";
  // @ts-expect-error: no such field
  const bad = () => encodeRequest("READ", { body: { offest: 1n } });
  // @ts-expect-error: bigint where the wire has 64 bits
  const number = () => encodeRequest("READ", { body: { offset: 1 } });
  // @ts-expect-error: LOOKUP has no fixed struct
  const none = () => encodeRequest("LOOKUP", { body: { flags: 1 } });
  // @ts-expect-error: no such struct in this reply
  const out = (bytes: Uint8Array) => decodeReply("OPEN", bytes).body.fuse_attr;
  assertEquals([fh, name, typeof bad, typeof number], [
    undefined,
    "fuse_nothing",
    "function",
    "function",
  ]);
  assertEquals([typeof none, typeof out], ["function", "function"]);
});
