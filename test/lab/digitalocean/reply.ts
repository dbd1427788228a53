import type { ApiCall } from "./api-call.js";

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 200;

/** An error in DigitalOcean's format. */
export function problem(status: number, id: string, message: string): Reply {
  return { status, body: { id, message, request_id: "4d9d8375-3c56-4925-a3e7-eb137fed17e9" } };
}

export function notFound(): Reply {
  return problem(404, "not_found", "The resource you requested could not be found.");
}

export function unprocessable(message: string): Reply {
  return problem(422, "unprocessable_entity", message);
}

/** The requested page of a list, with links to the others. */
export function page({ query, path, origin }: ApiCall, key: string, items: readonly unknown[]): Reply {
  const size = Math.min(Number(query.per_page ?? DEFAULT_PAGE), LARGEST_PAGE);
  const number = Number(query.page ?? 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const urlOf = (to: number): string =>
    `${origin}${path}?${new URLSearchParams({ ...query, page: String(to), per_page: String(size) }).toString()}`;
  const pages = {
    ...(number < last ? { next: urlOf(number + 1), last: urlOf(last) } : {}),
    ...(number > 1 ? { first: urlOf(1), prev: urlOf(number - 1) } : {}),
  };
  const body = {
    [key]: items.slice((number - 1) * size, number * size),
    links: last > 1 ? { pages } : {},
    meta: { total: items.length },
  };
  return { status: 200, body };
}
