import type { IncomingHttpHeaders } from "node:http";
import { AppError } from "../../core/errors/app-error.js";
import type { TokenStore } from "./token-store.js";

/** Of an Express request, what can carry a token. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  readonly query: Readonly<Record<string, unknown>>;
}

export interface Entrance {
  /** Where a token may stand. The first that is there counts, whatever it holds. */
  readonly by: readonly Carrier[];
  /** A token that is good here alone. */
  readonly alsoGood?: { readonly holder: string; readonly is: (token: string) => boolean };
  readonly refusal?: "unauthorized" | "push-token-invalid";
}

type Carrier = keyof typeof CARRIERS;

/** Whose token a request carries. Throws the refusal, `unauthorized` if nothing else is said, and `redis-unavailable`. */
export async function authenticate(
  tokens: TokenStore,
  request: Credentials,
  { by, alsoGood, refusal = "unauthorized" }: Entrance,
): Promise<string> {
  const token = tokenIn(request, by);
  if (token !== "") {
    if (alsoGood?.is(token) === true) return alsoGood.holder;
    const holder = await tokens.holder(token);
    if (holder !== undefined) return holder;
  }
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
