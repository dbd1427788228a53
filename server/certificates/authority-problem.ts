/** What an ACME authority says when it does not do what it was asked for (RFC 8555, 6.7). */
export class AuthorityProblem extends Error {
  override readonly name = "AuthorityProblem";

  constructor(
    /** Without its prefix: `rateLimited`, `malformed`, …. Empty: it has none. */
    readonly kind: string,
    detail: string,
    /** When it can be asked again, if it says so. */
    readonly retryAfterMs: number | undefined,
  ) {
    super(detail);
  }
}

/** Some of an order's names were not found to be ours; each with the reason. No certificate was issued. */
export class NamesRefused extends Error {
  override readonly name = "NamesRefused";

  constructor(readonly reasons: ReadonlyMap<string, string>) {
    super([...reasons].map(([name, reason]) => `${name}: ${reason}`).join("; "));
  }
}
