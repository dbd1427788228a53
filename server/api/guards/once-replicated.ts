import type { RequestHandler } from "express";
import type { ReplicaBarrier } from "../../../core/loop/replica-barrier.js";

/** Flags are switched by visiting them. */
const SWITCHES = /^\/(?:flags|disable)\//;

/** The end of an answer to what may have changed something waits for the barrier. */
export function onceReplicated(barrier: Pick<ReplicaBarrier, "pass">): RequestHandler {
  return (request, response, next) => {
    const isRead = ["GET", "HEAD"].includes(request.method) && !SWITCHES.test(request.path);
    if (!isRead) {
      const end = response.end.bind(response) as (...args: unknown[]) => typeof response;
      response.end = ((...args: unknown[]) => {
        void barrier.pass().then(() => end(...args));
        return response;
      }) as typeof response.end;
    }
    next();
  };
}
