/** How a registry wants to be asked (its answer's WWW-Authenticate). */
export type AuthChallenge =
  | { readonly kind: "basic" }
  | {
      readonly kind: "bearer";
      /** URL of the server that gives tokens. */
      readonly realm: string;
      readonly service: string | undefined;
      /** What the request that was refused needs: `repository:shop:pull,push`, several with spaces between them. */
      readonly scope: string | undefined;
    };

const PARAMETER = /([a-z_]+)="([^"]*)"/gi;

/** Undefined for one that is neither Basic nor Bearer. See distribution, "Token Authentication Specification". Pure. */
export function parseChallenge(header: string | undefined): AuthChallenge | undefined {
  if (header === undefined) return undefined;
  const bearer = /(?:^|,\s*)Bearer\s+(.*)$/is.exec(header)?.[1];
  if (bearer === undefined) return /(?:^|,\s*)Basic\b/i.test(header) ? { kind: "basic" } : undefined;
  const parameters = new Map(
    [...bearer.matchAll(PARAMETER)].map(([, name = "", value = ""]) => [name.toLowerCase(), value]),
  );
  const realm = parameters.get("realm");
  if (realm === undefined) return undefined;
  return { kind: "bearer", realm, service: parameters.get("service"), scope: parameters.get("scope") };
}
