import { Router } from "express";
import { newTokenSchema, type CreatedToken, type TokenSummary } from "../../../core/api/access/tokens.js";
import type { TokenStore } from "../../access/token-store.js";
import { parseBody } from "../requests/parse-body.js";

/** `GET` and `POST /tokens`, `DELETE /tokens/ID`. */
export function tokensApi(tokens: TokenStore): Router {
  const router = Router();
  router.get("/tokens", async (_request, response) =>
    response.json((await tokens.list()) satisfies TokenSummary[]),
  );
  router.post("/tokens", async (request, response) => {
    const { name } = parseBody(newTokenSchema, request);
    response.status(201).json((await tokens.create(name)) satisfies CreatedToken);
  });
  router.delete("/tokens/:id", async (request, response) => {
    await tokens.remove(request.params.id);
    response.status(204).end();
  });
  return router;
}
