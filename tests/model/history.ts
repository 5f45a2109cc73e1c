/**
 * What the source may do in the model: every sequence of transactions over two keys, as a tree that is grown once.
 * @module
 */
import type { ChangeKind } from "../../lib/copy/rules.ts";

/** The keys of the one table. */
export const KEYS: readonly number[] = [0, 1];

/** A row's value by key; `null`: no row. In the unique variant 0 stands for NULL, the value that may stand twice. */
export type Rows = readonly [number | null, number | null];

/** One row change as the tail delivers it. */
export interface Change {
  readonly kind: ChangeKind;
  readonly key: number;
  readonly value: number | null;
}

/** The filter of the filtered variant: what it holds for. */
export function isMeant(value: number): boolean {
  return value % 2 === 1;
}

/** What kinds of transactions the source runs. */
export interface HistoryOptions {
  /** The rows at the beginning. */
  readonly rows: Rows;
  /** How many transactions at most. */
  readonly transactions: number;
  /** The value is a unique column. */
  readonly unique: boolean;
  /** Only some values are meant ({@linkcode isMeant}); each write has the choice. */
  readonly filtered: boolean;
  /** Key 1 is a child of key 0: it goes with it, and only of key 0 is told. */
  readonly unseen: boolean;
  /** Transactions of several changes too: both keys written, a key changed, unique values swapped. */
  readonly wide: boolean;
}

/** A sequence of transactions that were committed on the source, and all that may follow. */
export interface History {
  readonly id: number;
  /** The changes of all transactions, in order. Positions count these. */
  readonly changes: readonly Change[];
  /** The position behind each transaction; `ends[0]` is 0. */
  readonly ends: readonly number[];
  /** The rows after each number of transactions; `rows[0]` is where all begins. */
  readonly rows: readonly Rows[];
  /** The same with one more transaction. */
  readonly longer: readonly History[];
}

/** Every history; the first is the empty one, and a history's id is its index. */
export function histories(options: HistoryOptions): readonly History[] {
  const all: History[] = [];
  const grow = (changes: Change[], ends: number[], rows: Rows[]): History => {
    const longer: History[] = [];
    const history = { id: all.length, changes, ends, rows, longer };
    all.push(history);
    if (ends.length <= options.transactions) {
      for (const transaction of nextTransactions(rows[rows.length - 1], ends.length + 1, options)) {
        const after = [...rows[rows.length - 1]] as [number | null, number | null];
        for (const change of transaction) {
          after[change.key] = change.value;
          if (options.unseen && change.key === 0 && change.value === null) after[1] = null;
        }
        const all = [...changes, ...transaction];
        longer.push(grow(all, [...ends, all.length], [...rows, after]));
      }
    }
    return history;
  };
  grow([], [0], [options.rows]);
  return all;
}

/** The transactions that may follow on these rows, the `next`th of all; each write has a value that was never used. */
function nextTransactions(rows: Rows, next: number, options: HistoryOptions): Change[][] {
  if (options.filtered) {
    return [2 * next, 2 * next + 1].flatMap((fresh) => transactionsWith(rows, fresh, options));
  }
  return transactionsWith(rows, next, options);
}

function transactionsWith(rows: Rows, fresh: number, options: HistoryOptions): Change[][] {
  const result: Change[][] = [];
  for (const key of KEYS) {
    if (options.unseen && key === 1 && rows[0] === null) continue;
    const values = options.unique
      ? [0, 1, 2].filter((v) => v !== rows[key] && (v === 0 || v !== rows[1 - key]))
      : [fresh];
    for (const value of values) result.push([{ kind: "put", key, value }]);
    if (rows[key] !== null) result.push([{ kind: "delete", key, value: null }]);
  }
  if (!options.wide) return result;
  for (const key of KEYS) {
    const [mine, other] = [rows[key], rows[1 - key]];
    if (mine !== null && other === null) {
      const value = options.unique ? mine : fresh;
      result.push([{ kind: "oldKey", key, value: null }, { kind: "put", key: 1 - key, value }]);
    }
    if (options.unique && mine && other) {
      // As the server makes one do it: by way of NULL.
      result.push([
        { kind: "put", key, value: 0 },
        { kind: "put", key: 1 - key, value: mine },
        { kind: "put", key, value: other },
      ]);
    }
    if (!options.unique) {
      result.push([{ kind: "put", key, value: fresh }, { kind: "put", key: 1 - key, value: fresh }]);
    }
  }
  return result;
}
