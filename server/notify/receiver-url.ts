import { AppError } from "../../core/errors/app-error.js";

const LONGEST = 2000;

/** Throws `receiver-url-invalid`. */
export function parseReceiverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const problem = url === undefined ? "it is not a URL" : problemOf(url);
  if (url === undefined || problem !== undefined)
    throw new AppError("receiver-url-invalid", { problem: problem ?? "" });
  return url.href;
}

/** Without what may be secret in it: the query, and the whole path of Slack's. */
export function shownUrl(url: string, form: "standard" | "slack"): string {
  const { origin, pathname, search } = new URL(url);
  if (form === "slack") return `${origin}/…`;
  return `${origin}${pathname}${search === "" ? "" : "?…"}`;
}

function problemOf({ protocol, username, password, href }: URL): string | undefined {
  if (protocol !== "http:" && protocol !== "https:") return `${protocol} is neither http: nor https:`;
  // Neither is sent (fetch refuses them), and they would be shown.
  if (username !== "" || password !== "") return "it contains a user or a password";
  return href.length > LONGEST ? `it is longer than ${LONGEST} characters` : undefined;
}
