import { Router } from "express";
import { newTokenSchema, type CreatedToken, type TokenSummary } from "../../../core/api/access/tokens.js";
import type { TokenStore } from "../../access/token-store.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import { parseBody } from "../requests/parse-body.js";

/** `GET` and `POST /tokens`, `DELETE /tokens/ID`. */
export function tokensApi(tokens: TokenStore): Router {
  const router = Router();
  router.get("/tokens", needs.all("admin"), async (_request, response) =>
    response.json((await tokens.list()) satisfies TokenSummary[]),
  );
  router.post("/tokens", needs.all("admin"), async (request, response) => {
    const order = parseBody(newTokenSchema, request);
    response.status(201).json((await tokens.create(order, holderOf(response))) satisfies CreatedToken);
  });
  router.delete("/tokens/:id", needs.all("admin"), async (request, response) => {
    await tokens.remove(request.params.id, holderOf(response));
    response.status(204).end();
  });
  return router;
}
