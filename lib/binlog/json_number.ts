/**
 * Doubles as MySQL prints them inside JSON.
 * Source: MySQL, dtoa.cc (my_gcvt) and json_dom.cc.
 * @module
 */

/** From this many places on (of the digits in front of the point, or of the zeros behind it) `e` notation is used. */
const PLACES = 15;

/**
 * The shortest digits that read back as `v`, as the server writes them: `1.0`, `1e20`, `0.00001`, `-0.0`.
 * JavaScript finds the same digits and differs only in when it turns to `e` notation.
 */
export function doubleText(v: number): string {
  const [mantissa, exponent] = Math.abs(v).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponent) + 1; // places in front of the point
  const sign = v < 0 || Object.is(v, -0) ? "-" : "";
  if (v === 0) return `${sign}0.0`;
  if (point < -PLACES + 1 || (point > PLACES && digits.length <= point)) {
    return `${sign}${digits[0]}${digits.length > 1 ? "." + digits.slice(1) : ""}e${
      exponent.replace("+", "")
    }`;
  }
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (digits.length > point) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  return `${sign}${digits}${"0".repeat(point - digits.length)}.0`;
}
