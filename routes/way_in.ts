/**
 * The way through signing in to where one was going. Rules only.
 * @module
 */

/** Where a person signs in. */
export const SIGN_IN = "/sign-in";

/** What a page fetches of itself again and again; the page stands under what comes before. */
const PART = /^(\/ferries\/[^/]+)?\/live$/;
/** A browser drops control characters, and takes two slashes and backslashes for another host. */
const OWN_PATH = /^\/[!-[\]-~]*$/;

/** Where somebody is sent who asked for `url` without having signed in. */
export function wayIn(url: string): string {
  const { pathname, search } = new URL(url);
  const next = ownPath(pathname.replace(PART, (_, page = "/") => page) + search);
  return next === "/" ? SIGN_IN : `${SIGN_IN}?next=${encodeURIComponent(next)}`;
}

/** The path behind signing in; what is none of this origin, or may be read otherwise, is the first page. */
export function ownPath(next: string | undefined): string {
  return next !== undefined && OWN_PATH.test(next) && !next.includes("//") ? next : "/";
}
