import { delimited } from "./delimited.js";

/**
 * Who may visit a target, in the map `guards`. What is empty is not limited.
 *
 * - `addresses`: addresses and networks, with commas between them
 * - `salt`, `hash`: a `PreviewPassword`
 * - `requests`: of a visitor in a minute
 * - `connections`: of a visitor at once
 * - `bodyBytes`: of a request
 * - `page`: `own` if the app has an error page of its own
 */
export const guardEntry = delimited(
  "|",
  ...(["addresses", "salt", "hash", "requests", "connections", "bodyBytes", "page"] as const),
);

/** Follows a target that has such an entry. */
export const GUARDED = ":guarded";
