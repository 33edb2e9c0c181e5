import { assertEquals } from "@std/assert";
import { ClockHand } from "../../src/shared_memory/clock_hand.ts";

const WAYS = 4;
const STRIDE = 2;
/** The hand is the first word; a slot's second word says whether it was used. */
const FIRST = 1;
const USED = 1;

/** A set of slots, with what the cache says of each. */
function makeSet(mayGo: boolean[] = [], isFree: boolean[] = []) {
  const words = new Int32Array(
    new SharedArrayBuffer(4 * (FIRST + WAYS * STRIDE)),
  );
  const wayOf = (at: number) => (at - FIRST) / STRIDE;
  const hand = new ClockHand(
    words,
    { ways: WAYS, stride: STRIDE, used: USED },
    {
      mayGo: (at) => mayGo[wayOf(at)] ?? true,
      take: (at) => isFree[wayOf(at)] ?? true,
    },
  );
  const use = (...ways: number[]) => {
    for (const way of ways) words[FIRST + way * STRIDE + USED] = 1;
  };
  const isUsed = () =>
    Array.from(
      { length: WAYS },
      (_, way) => words[FIRST + way * STRIDE + USED],
    );
  const take = () => {
    const at = hand.take(0, FIRST);
    return at < 0 ? null : wayOf(at);
  };
  return { words, use, isUsed, take };
}

Deno.test("the hand goes on from where it was", () => {
  const { take } = makeSet();
  assertEquals([0, 1, 2, 3, 4, 5].map(take), [0, 1, 2, 3, 0, 1]);
});

Deno.test("a slot that was used gets a second chance, and one only", () => {
  const { use, isUsed, take } = makeSet();
  use(0, 1, 3);
  assertEquals(take(), 2);
  assertEquals(isUsed(), [0, 0, 0, 1]);
  assertEquals([take(), take()], [0, 1]);
  use(0);
  assertEquals([take(), take()], [2, 3]);
});

Deno.test("if all were used, the first that it comes to again is taken", () => {
  const { use, take } = makeSet();
  assertEquals(take(), 0);
  use(0, 1, 2, 3);
  assertEquals(take(), 1);
});

Deno.test("a slot that may not go keeps what is known of its use", () => {
  const { use, isUsed, take } = makeSet([false, true, true, true]);
  use(0);
  assertEquals([1, 2, 3, 4].map(take), [1, 2, 3, 1]);
  assertEquals(isUsed(), [1, 0, 0, 0]);
});

Deno.test("a slot that cannot be taken is passed, also the second time", () => {
  const { use, take } = makeSet([], [false, false, true, false]);
  use(2);
  assertEquals([take(), take()], [2, 2]);
  assertEquals(makeSet([], [false, false, false, false]).take(), null);
  assertEquals(makeSet([false, false, false, false]).take(), null);
});

Deno.test("the hand may count beyond what a word holds", () => {
  const { words, take } = makeSet();
  words[0] = 2 ** 31 - 1;
  assertEquals([take(), take(), take()], [3, 0, 1]);
});
