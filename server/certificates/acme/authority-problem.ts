/** Kinds of problems that concern the authority, or our account there, and no name more than another (RFC 8555, 6.7). */
const OF_THE_AUTHORITY = new Set([
  ...["accountDoesNotExist", "badSignatureAlgorithm", "externalAccountRequired", "invalidContact"],
  ...["serverInternal", "unauthorized", "unsupportedContact", "userActionRequired"],
  // Ours: there was no answer, or none that says what is wrong.
  ...["unreachable", ""],
]);

export interface AuthorityAnswer {
  /** Without its prefix: `rateLimited`, `malformed`, …. Empty: it has none. */
  readonly kind: string;
  readonly detail: string;
  /** When it can be asked again, if it says so. */
  readonly retryAfterMs?: number | undefined;
  /** Name → what is wrong with it (RFC 8555, 6.7.1). */
  readonly names?: ReadonlyMap<string, string>;
}

/** What an ACME authority says when it does not do what it was asked for. */
export class AuthorityProblem extends Error {
  override readonly name = "AuthorityProblem";
  readonly kind: string;
  readonly retryAfterMs: number | undefined;
  readonly names: ReadonlyMap<string, string>;

  constructor({ kind, detail, retryAfterMs, names = new Map() }: AuthorityAnswer) {
    super(detail);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
    this.names = names;
  }

  /** Whether another order would fare no better now. */
  get isOfTheAuthority(): boolean {
    return OF_THE_AUTHORITY.has(this.kind);
  }
}

/** Some of an order's names cannot be had; each with the reason. No certificate was issued. */
export class NamesRefused extends Error {
  override readonly name = "NamesRefused";

  constructor(readonly reasons: ReadonlyMap<string, string>) {
    super([...reasons].map(([name, reason]) => `${name}: ${reason}`).join("; "));
  }
}

/** The program for TXT records failed, so names that need one cannot be had. */
export class HookFailed extends Error {
  override readonly name = "HookFailed";
}
