import type { Response } from "express";
import { AppError } from "../../../core/errors/app-error.js";
import type { Holder } from "../../access/holder.js";

/** Each reader costs memory, and a query to Redis for every event. */
const MOST = { inAll: 100, perToken: 10 };
const RETRY_SECONDS = 30;

/** Limits how many clients follow the events, in all and by token. */
export class ReaderLimit {
  private readonly open = new Map<Response, string>();

  constructor(private readonly most: { readonly inAll: number; readonly perToken: number } = MOST) {}

  /** Counts a response until it is closed. Throws `events-busy`. */
  take(response: Response, { id }: Pick<Holder, "id">): void {
    const { inAll, perToken } = this.most;
    const own = [...this.open.values()].filter((other) => other === id).length;
    const retry = { retryAfterSeconds: RETRY_SECONDS };
    if (own >= perToken) throw new AppError("events-busy", { most: perToken, whose: "this token" }, retry);
    if (this.open.size >= inAll)
      throw new AppError("events-busy", { most: inAll, whose: "all tokens" }, retry);
    this.open.set(response, id);
    response.once("close", () => this.open.delete(response));
    if (response.closed) this.open.delete(response);
  }
}
