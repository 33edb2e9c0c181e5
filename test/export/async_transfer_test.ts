import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { finishLater } from "../../src/export/async_transfer.ts";
import type { ExportContext } from "../../src/export/export_context.ts";
import { contiguousExchange } from "../../src/protocol/exchange.ts";
import type { Reply } from "../../src/protocol/reply.ts";

/** An answer in the hands of a test. */
class Later implements PromiseLike<number> {
  fulfil: (value: number) => void = () => {};
  reject: (error: unknown) => void = () => {};

  then<A, B>(
    onFulfilled?: ((value: number) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    this.fulfil = (value) => void onFulfilled?.(value);
    this.reject = (error) => void onRejected?.(error);
    return null as unknown as PromiseLike<A | B>;
  }
}

const CONTEXT = {} as ExportContext;

function newReply(): Reply {
  return contiguousExchange(new Uint8Array(8192), new Uint8Array(8192)).reply;
}

/** A transfer of 10 bytes, and what was called for it. */
function begin(reply: Reply = newReply(), fails: Error | null = null) {
  const later = new Later();
  const calls: unknown[] = [];
  const finish = (
    context: ExportContext,
    to: Reply,
    result: number,
    length: number,
  ) => {
    calls.push([context === CONTEXT, to === reply, result, length]);
    if (fails !== null) throw fails;
  };
  const release = () => void calls.push("released");
  const answer = finishLater(CONTEXT, reply, later, 10, finish, release);
  return { later, calls, answer };
}

Deno.test("finishLater() fills the reply and then tells so", async () => {
  const { later, calls, answer } = begin();
  const told = Promise.resolve(answer);
  await Promise.resolve();
  assertEquals(calls, []);
  later.fulfil(7);
  assertEquals(calls, ["released", [true, true, 7, 10]]);
  await told;
});

Deno.test("finishLater() tells whoever asks afterwards", async () => {
  const { later, answer } = begin();
  later.fulfil(7);
  await answer;
  const failed = begin();
  failed.later.reject(new RangeError("no"));
  await assertRejects(async () => await failed.answer, RangeError, "no");
  assertEquals(failed.calls, ["released"]);
});

Deno.test("finishLater() passes on what finishing throws", async () => {
  const { later, answer } = begin(newReply(), new RangeError("bad result"));
  const told = assertRejects(async () => await answer, RangeError, "bad");
  await Promise.resolve();
  later.fulfil(7);
  await told;
});

Deno.test("finishLater() makes one object for each reply", async () => {
  const reply = newReply();
  const first = begin(reply);
  first.later.fulfil(1);
  await first.answer;
  const second = begin(reply);
  assert(second.answer === first.answer);
  assertEquals(second.calls, []);
  second.later.fulfil(2);
  await second.answer;
  assertEquals(second.calls.length, 2);
  assert(begin().answer !== first.answer);
});

Deno.test("finishLater() gives nothing to chain on", () => {
  const { answer } = begin();
  const chained = answer.then(() => {});
  assertThrows(() => chained.then(() => {}), TypeError, "twice");
});
