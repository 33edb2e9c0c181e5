type Bag = Record<PropertyKey, unknown>;

function isObject(value: unknown): value is Bag {
  return typeof value === "object" && value !== null;
}

function sameKind(a: object, b: object): boolean {
  const [left, right] = [a.constructor ?? Object, b.constructor ?? Object];
  return left === right;
}

function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof DataView) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  const isBuffer = value instanceof ArrayBuffer ||
    value instanceof SharedArrayBuffer;
  return isBuffer ? new Uint8Array(value) : undefined;
}

function sameElements(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) {
      return false;
    }
  }
  return true;
}

/** Whether each entry of one collection has an equal entry of its own in the other. */
function sameEntries(
  a: readonly unknown[],
  b: readonly unknown[],
  same: (x: unknown, y: unknown) => boolean,
): boolean {
  const rest = [...b];
  return a.every((x) => {
    const at = rest.findIndex((y) => same(x, y));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

function ownKeys(value: object): PropertyKey[] {
  const symbols = Object.getOwnPropertySymbols(value).filter((symbol) =>
    Object.prototype.propertyIsEnumerable.call(value, symbol)
  );
  return [...Object.keys(value), ...symbols];
}

/** Compares values without parts; undefined if the parts have to be compared. */
function sameValue(a: unknown, b: unknown): boolean | undefined {
  if (typeof a === "number" && typeof b === "number") {
    return a === b || (Number.isNaN(a) && Number.isNaN(b));
  }
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof WeakRef && b instanceof WeakRef) return undefined;
  if (!sameKind(a, b)) return false;
  if (a instanceof Date) return Object.is(a.getTime(), Number(b));
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`cannot compare ${a.constructor.name} instances`);
  }
  if (ArrayBuffer.isView(a) && !(a instanceof DataView)) {
    const [left, right] = [a as unknown, b as unknown];
    return sameElements(
      left as ArrayLike<unknown>,
      right as ArrayLike<unknown>,
    );
  }
  const [left, right] = [bytesOf(a), bytesOf(b)];
  return left && right ? sameElements(left, right) : undefined;
}

/**
 * Whether two values are deeply equal.
 *
 * NaN equals NaN, 0 equals -0, a missing property differs from an undefined
 * one, and objects of different classes differ. Typed arrays are compared
 * element by element. Buffers, `DataView`s and errors are compared by their
 * content too.
 *
 * @param a One value.
 * @param b The other.
 * @returns Whether they are equal.
 */
export function equal(a: unknown, b: unknown): boolean {
  const pairs = new Map<unknown, unknown>();

  function compare(x: unknown, y: unknown): boolean {
    const known = sameValue(x, y);
    if (known !== undefined) return known;
    const [left, right] = [x as Bag, y as Bag];
    if (left instanceof WeakRef && right instanceof WeakRef) {
      if (!compare(left.deref(), right.deref())) return false;
    }
    if (pairs.get(left) === right) return true;
    pairs.set(left, right);
    if (left instanceof Error && right instanceof Error) {
      const same = left.name === right.name &&
        left.message === right.message && compare(left.cause, right.cause);
      if (!same) return false;
    }
    if (left instanceof Map && right instanceof Map) {
      return left.size === right.size &&
        sameEntries([...left], [...right], compare);
    }
    if (left instanceof Set && right instanceof Set) {
      return left.size === right.size &&
        sameEntries([...left], [...right], compare);
    }
    if (Array.isArray(left) && left.length !== right["length"]) return false;
    const keys = ownKeys(left);
    return keys.length === ownKeys(right).length &&
      keys.every((key) =>
        Object.hasOwn(right, key) && compare(left[key], right[key])
      );
  }

  return compare(a, b);
}
