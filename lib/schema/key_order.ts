/**
 * Whether two servers have the values of a key column in one order.
 * @module
 */
import type { Column } from "./table.ts";

const LABELS = new Set(["enum", "set"]);

/**
 * Numbers, moments, bytes and labels (by their number) have one order everywhere. Collations are each vendor's own, even
 * where both know the name; only the binary ones are alike.
 */
export function sortAlike(a: Column, b: Column, sameVendor: boolean): boolean {
  if (a.charset === null || b.charset === null) return a.charset === b.charset;
  if (LABELS.has(a.dataType) && LABELS.has(b.dataType)) return true;
  if (sameVendor && a.collation === b.collation) return true;
  return a.charset === b.charset && isBinary(a.collation) && isBinary(b.collation);
}

function isBinary(collation: string | null): boolean {
  return collation !== null && /_bin$/.test(collation);
}
