import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { AppError } from "../../core/errors/app-error.js";
import { ADMIN, type Credential } from "./credential.js";
import { makeHolder, type Holder } from "./holder.js";
import { originOf } from "./origin.js";
import type { TokenStore } from "./token-store.js";
import type { WrongAttempts } from "./wrong-attempts.js";

/** What requests are authenticated with. */
export interface Access {
  readonly tokens: TokenStore;
  readonly attempts: WrongAttempts;
}

/** Of an Express request, what can carry a token, and where it comes from. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  readonly query: Readonly<Record<string, unknown>>;
  readonly socket: Pick<Socket, "remoteAddress" | "destroyed">;
}

export interface Entrance {
  /** Where a token may stand. The first that is there counts, whatever it holds. */
  readonly by: readonly Carrier[];
  /** A token that is good here alone. */
  readonly alsoGood?: { readonly credential: Credential; readonly is: (token: string) => boolean };
  readonly refusal?: "unauthorized" | "push-token-invalid";
}

type Carrier = keyof typeof CARRIERS;

/**
 * Identifies the client of a request by the token it carries. Throws the refusal, `unauthorized` if nothing else is said,
 * `credential-expired`, `attempts-too-many` and `redis-unavailable`.
 */
export async function authenticate(
  { tokens, attempts }: Access,
  request: Credentials,
  { by, alsoGood, refusal = "unauthorized" }: Entrance,
): Promise<Holder> {
  const token = tokenIn(request, by);
  const from = originOf(request.socket);
  if (token === "") throw new AppError(refusal, {});
  if (alsoGood?.is(token) === true) return makeHolder(alsoGood.credential, from);
  // Nothing is awaited between this check of the pause and the count of a wrong token, so parallel guesses are all counted.
  const isRandom = tokens.isRandom(token);
  if ((isRandom || !attempts.isPaused(from)) && tokens.isAdmin(token)) return makeHolder(ADMIN, from);
  const credential = isRandom ? await tokens.find(token) : undefined;
  if (credential !== undefined) return makeHolder(credential, from);
  await attempts.add(from);
  throw new AppError(refusal, {});
}

/** Empty without one. */
function tokenIn(request: Credentials, by: readonly Carrier[]): string {
  for (const carrier of by) {
    const token = CARRIERS[carrier](request);
    if (token !== undefined) return token;
  }
  return "";
}

const CARRIERS = {
  /** `Authorization: Bearer TOKEN` (RFC 6750, section 2.1) */
  bearer: ({ headers }: Credentials) => authorization(headers, "bearer"),
  /** `Authorization: Basic …` (RFC 7617): any user name, the token as the password. */
  basic: ({ headers }: Credentials) => {
    const text = authorization(headers, "basic");
    if (text === undefined) return undefined;
    const decoded = Buffer.from(text, "base64").toString("utf8");
    return decoded.slice(decoded.indexOf(":") + 1);
  },
  /** `?token=TOKEN` */
  query: ({ query: { token } }: Credentials) => (typeof token === "string" ? token : undefined),
  /** `X-API-Key: TOKEN` */
  apiKey: ({ headers }: Credentials) => {
    const key = headers["x-api-key"];
    return typeof key === "string" ? key : undefined;
  },
} as const;

function authorization(
  { authorization: text = "" }: IncomingHttpHeaders,
  wanted: string,
): string | undefined {
  const [scheme = "", credentials = ""] = text.split(" ");
  return scheme.toLowerCase() === wanted ? credentials : undefined;
}
