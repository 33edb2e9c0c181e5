import { assertEquals } from "@std/assert";
import { BlockingCalls } from "../../src/shared_memory/blocking_calls.ts";

Deno.test("BlockingCalls keeps one thread out of calls that may block", () => {
  const words = BlockingCalls.create(3);
  const calls = new BlockingCalls(words);
  const others = new BlockingCalls(words);
  assertEquals(calls.tryEnter(), true);
  assertEquals(others.tryEnter(), true);
  assertEquals(others.tryEnter(), false);
  calls.leave();
  assertEquals(others.tryEnter(), true);
});

Deno.test("BlockingCalls counts on no thread that has ended", () => {
  const calls = new BlockingCalls(BlockingCalls.create(2));
  assertEquals(calls.tryEnter(), true);
  calls.leave();
  calls.threadEnded();
  assertEquals(calls.tryEnter(), false);
});

Deno.test("BlockingCalls lets a single thread never block", () => {
  assertEquals(new BlockingCalls(BlockingCalls.create(1)).tryEnter(), false);
});
