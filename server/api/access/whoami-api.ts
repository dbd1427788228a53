import { Router } from "express";
import type { Whoami } from "../../../core/api/access/whoami.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";

/** `GET /whoami`: what the token may do that asks. */
export function whoamiApi(): Router {
  const router = Router();
  router.get("/whoami", needs.any("read"), (_request, response) => {
    const { by, scope, expiresAt = null } = holderOf(response);
    response.json({ name: by, ...scope, expiresAt } satisfies Whoami);
  });
  return router;
}
