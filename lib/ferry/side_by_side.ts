/**
 * Work on many things, some of them at a time.
 * @module
 */

/** Calls `work` for each item, `most` at a time, in order. After a failure nothing is begun, and it is thrown when all rest. */
export async function sideBySide<T>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (e) {
        queue.length = 0;
        throw e;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, lane));
  for (const each of lanes) if (each.status === "rejected") throw each.reason;
}
