/** A request as it is to be sent. `headers` has the token in it: never log them. */
export interface ForgeRequest {
  readonly method: "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/** Leaves out of the body what is undefined. */
export function postJson(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Readonly<Record<string, unknown>>,
): ForgeRequest {
  return {
    method: "POST",
    url,
    headers: { "Content-Type": "application/json", "User-Agent": "sluice", ...headers },
    body: JSON.stringify(body),
  };
}

/** `owner/name` as part of a URL. */
export function pathInUrl(repositoryPath: string): string {
  return repositoryPath.split("/").map(encodeURIComponent).join("/");
}
