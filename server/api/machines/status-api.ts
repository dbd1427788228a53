import { Router } from "express";
import type { ServerStatus } from "../../../core/api/machines/status.js";
import type { Database } from "../../../core/redis/database.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import type { ApiNeeds } from "../needs.js";
import { serverStatus } from "../summaries/server-status.js";

/** `GET /status` */
export function statusApi(tools: ApiNeeds, redis: Database, version: string): Router {
  const router = Router();
  router.get("/status", needs.any("read"), async (_request, response) => {
    const { scope } = holderOf(response);
    response.json((await serverStatus(tools, redis, version, scope)) satisfies ServerStatus);
  });
  return router;
}
