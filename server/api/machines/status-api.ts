import { Router } from "express";
import type { ServerStatus } from "../../../core/api/machines/status.js";
import type { Database } from "../../../core/redis/database.js";
import type { ApiNeeds } from "../needs.js";
import { serverStatus } from "../summaries/server-status.js";

/** `GET /status` */
export function statusApi(tools: ApiNeeds, redis: Database, version: string): Router {
  const router = Router();
  router.get("/status", async (_request, response) =>
    response.json((await serverStatus(tools, redis, version)) satisfies ServerStatus),
  );
  return router;
}
