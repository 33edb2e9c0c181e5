import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Completion,
  type Receiver,
  type Step,
} from "../../src/event/completion.ts";

/** Notes what it receives. */
class Notes implements Receiver<unknown> {
  readonly outcomes: unknown[] = [];

  complete(value: unknown): void {
    this.outcomes.push(value);
  }

  fail(error: unknown): void {
    this.outcomes.push(["failed", error]);
  }
}

const ERROR = new RangeError("no");
const DOUBLE: Step<number, number> = { run: (value) => 2 * value };
const ADD: Step<number, number, number> = { run: (value, add) => value + add };
const JOIN: Step<number, string, string, string> = {
  run: (value, before, after) => before + value + after,
};
const THROW: Step<number, number> = {
  run() {
    throw ERROR;
  },
};
const RECOVER: Step<number, number, number> = {
  run: (value) => value,
  recover: (error, instead) => {
    assertEquals(error, ERROR);
    return instead;
  },
};

function consume(completion: Completion<unknown>): unknown[] {
  const notes = new Notes();
  completion.deliverTo(notes);
  return notes.outcomes;
}

Deno.test("a completion runs its steps in order and delivers the last result", () => {
  const completion = Completion.start<number>();
  const last = completion.after(DOUBLE).after(ADD, 3).after(JOIN, "<", ">");
  assert(last as unknown === completion);
  const outcomes = consume(last);
  assertEquals(outcomes, []);
  completion.complete(7);
  assertEquals(outcomes, ["<17>"]);
});

Deno.test("a completion keeps its result until it is consumed", async () => {
  const settled = () => {
    const completion = Completion.start<number>();
    completion.after(DOUBLE);
    completion.complete(1);
    return completion;
  };
  assertEquals(consume(settled()), [2]);
  assertEquals(consume(settled().after(ADD, 5)), [7]);
  assertEquals(await settled(), 2);
});

Deno.test("a failure skips steps up to one that recovers", () => {
  const completion = Completion.start<number>();
  const ran: number[] = [];
  const note: Step<number, number> = {
    run(value) {
      ran.push(value);
      return value;
    },
  };
  const outcomes = consume(
    completion.after(note).after(DOUBLE).after(RECOVER, 5).after(note),
  );
  completion.fail(ERROR);
  assertEquals([outcomes, ran], [[5], [5]]);
});

Deno.test("a step that throws makes the completion fail", () => {
  const completion = Completion.start<number>();
  const outcomes = consume(completion.after(THROW).after(DOUBLE));
  completion.complete(1);
  assertEquals(outcomes, [["failed", ERROR]]);
  const recovering = Completion.start<number>();
  const rethrowing: Step<number, number> = {
    run: (value) => value,
    recover: (error) => {
      throw new Error("worse", { cause: error });
    },
  };
  const worse = consume(recovering.after(rethrowing));
  recovering.fail(ERROR);
  const [[, error]] = worse as [[string, Error]];
  assertEquals([error.message, error.cause], ["worse", ERROR]);
});

Deno.test("a step may continue with another completion", () => {
  for (const settlesFirst of [false, true]) {
    const first = Completion.start<number>();
    const second = Completion.start<number>();
    const outcomes = consume(
      first.after({ run: () => second }).after(ADD, 1),
    );
    if (settlesFirst) second.complete(10);
    first.complete(0);
    if (!settlesFirst) {
      assertEquals(outcomes, []);
      second.complete(10);
    }
    assertEquals(outcomes, [11]);
  }
});

Deno.test("a step may continue with a promise", async () => {
  const first = Completion.start<number>();
  const result = first.after({ run: (value) => Promise.resolve(value + 1) })
    .after(DOUBLE);
  first.complete(1);
  assertEquals(await result, 4);
  const failing = Completion.start<number>();
  failing.after({ run: () => Promise.reject(ERROR) });
  failing.complete(1);
  await assertRejects(async () => await failing, RangeError, "no");
});

Deno.test("a completion cannot wait for itself", () => {
  const completion = Completion.start<number>();
  completion.after({ run: () => completion });
  const outcomes = consume(completion);
  completion.complete(1);
  const [[, error]] = outcomes as [[string, Error]];
  assertEquals(error.name, "TypeError");
});

Deno.test("then() returns a real promise that can be chained", async () => {
  const completion = Completion.start<number>();
  const promise = completion.then((value) => value + 1);
  assert(promise instanceof Promise);
  const chained = promise.then((value) => [value]);
  completion.complete(1);
  assertEquals(await chained, [2]);
  const failed = Completion.start<number>();
  const caught = failed.then(null, (error) => [error]);
  failed.fail(ERROR);
  assertEquals(await caught, [ERROR]);
  const passed = Completion.start<number>();
  const rejected = assertRejects(async () => await passed, RangeError, "no");
  await Promise.resolve();
  passed.fail(ERROR);
  await rejected;
});

Deno.test("a completion is consumed once", async () => {
  const ways: ((completion: Completion<number>) => unknown)[] = [
    (completion) => completion.then(() => {}),
    (completion) => completion.deliverTo(new Notes()),
  ];
  for (const first of ways) {
    for (const settled of [false, true]) {
      const completion = Completion.start<number>();
      if (settled) completion.complete(1);
      const consumed = first(completion);
      for (const again of [...ways, (c: Completion) => c.after(DOUBLE)]) {
        const error = assertThrows(() => again(completion), Error);
        assertEquals(
          error.message,
          "This completion was consumed already: await it, return it or deliver it, once",
        );
      }
      if (!settled) completion.complete(1);
      await consumed;
    }
  }
});

Deno.test("a completion settles once", () => {
  const completion = Completion.start<number>();
  completion.complete(1);
  assertThrows(() => completion.complete(2), Error, "settled already");
  assertThrows(() => completion.fail(ERROR), Error, "settled already");
  assertEquals(consume(completion), [1]);
  assertThrows(() => completion.complete(3), Error, "settled already");
});

Deno.test("a delivered completion is reused, one that was awaited is not", async () => {
  const delivered = Completion.start<number>();
  delivered.after(DOUBLE);
  delivered.complete(1);
  assertEquals(consume(delivered), [2]);
  const next = Completion.start<number>();
  assert(next === delivered);
  next.complete(5);
  assertEquals(await next, 5);
  assert(Completion.start<number>() !== next);
  assertThrows(() => next.then(), Error, "consumed");
});

Deno.test("a receiver may start the next operation with the same completion", () => {
  const first = Completion.start<number>();
  const notes = new Notes();
  const started: Completion[] = [];
  first.deliverTo({
    complete() {
      const next = Completion.start<number>();
      next.deliverTo(notes);
      started.push(next);
    },
    fail: () => {},
  });
  first.complete(1);
  assert(started[0] === first);
  first.complete(2);
  assertEquals(notes.outcomes, [2]);
});

Deno.test("Completion.of() returns completions and follows promises", async () => {
  const completion = Completion.start<number>();
  assert(Completion.of(completion) === completion);
  completion.complete(1);
  assertEquals(consume(completion), [1]);
  assertEquals(await Completion.of(Promise.resolve(2)).after(DOUBLE), 4);
  const rejected = Completion.of(Promise.reject<number>(ERROR));
  await assertRejects(async () => await rejected, RangeError, "no");
  for (const nothing of [undefined, null, 5, {}]) {
    assertThrows(
      () => Completion.of(nothing as unknown as PromiseLike<number>),
      TypeError,
      "Expected a promise",
    );
  }
});

Deno.test("Completion.of() takes only the first outcome of a thenable", async () => {
  const thenables: ((
    fulfil: (value: number) => void,
    reject: (error: unknown) => void,
  ) => void)[] = [
    (fulfil) => {
      fulfil(1);
      fulfil(2);
    },
    (fulfil, reject) => {
      fulfil(1);
      reject(ERROR);
    },
    (fulfil) => {
      fulfil(1);
      throw ERROR;
    },
  ];
  for (const then of thenables) {
    const thenable = { then } as unknown as PromiseLike<number>;
    assertEquals(await Completion.of(thenable), 1);
  }
  const throwing = {
    then() {
      throw ERROR;
    },
  } as unknown as PromiseLike<number>;
  await assertRejects(async () => await Completion.of(throwing), RangeError);
});
