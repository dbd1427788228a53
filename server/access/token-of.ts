import type { Request } from "express";

/** The token that a request carries as `Authorization: Bearer TOKEN` or `?token=TOKEN`; empty without one. */
export function tokenOf({ headers, query }: Pick<Request, "headers" | "query">): string {
  const [scheme = "", token = ""] = (headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() === "bearer") return token;
  return typeof query["token"] === "string" ? query["token"] : "";
}
