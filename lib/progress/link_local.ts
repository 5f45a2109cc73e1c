/**
 * Which addresses are link-local, in every form that a connection may be given one.
 * @module
 */
import { isIPv4 } from "node:net";

/** What an IPv6 address can carry an IPv4 address behind: its first bytes, and where the four bytes are. */
const CARRIERS: readonly { readonly prefix: readonly number[]; readonly at: number }[] = [
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], at: 12 }, // mapped, RFC 4291 2.5.5.2
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 }, // compatible, RFC 4291 2.5.5.1
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], at: 12 }, // translated, RFC 2765
  { prefix: [0, 0x64, 0xff, 0x9b], at: 12 }, // NAT64, RFC 6052 and RFC 8215
  { prefix: [0x20, 0x02], at: 2 }, // 6to4, RFC 3056
];

/** 169.254.0.0/16 and fe80::/10; also where an IPv6 address stands for such an IPv4 address. */
export function isLinkLocal(address: string): boolean {
  if (isIPv4(address)) return isLinkLocalV4(address.split(".").map(Number));
  const bytes = bytesOf(address);
  // No address is nothing that may be posted to.
  if (bytes === null) return true;
  if (bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80) return true;
  return CARRIERS.some(({ prefix, at }) =>
    prefix.every((byte, i) => bytes[i] === byte) && isLinkLocalV4(bytes.slice(at))
  );
}

function isLinkLocalV4([first, second]: readonly number[]): boolean {
  return first === 169 && second === 254;
}

/** The 16 bytes of an IPv6 address, without its zone. */
function bytesOf(address: string): number[] | null {
  // A URL writes every form of an address in one.
  const url = URL.parse(`http://[${address.replace(/%.*$/, "")}]`);
  if (url === null) return null;
  const groups = (text: string) => text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const [head, tail = null] = url.hostname.slice(1, -1).split("::");
  const [before, after] = [groups(head), groups(tail ?? "")];
  const all = [...before, ...new Array(8 - before.length - after.length).fill(0), ...after];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}
