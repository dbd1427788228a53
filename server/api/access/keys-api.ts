import { Router } from "express";
import { newKeySchema, type KeySummary } from "../../../core/api/access/keys.js";
import type { KeyStore } from "../../access/key-store.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import { parseBody } from "../requests/parse-body.js";

/** `GET` and `POST /keys`, `DELETE /keys/ID`. */
export function keysApi(keys: KeyStore): Router {
  const router = Router();
  router.get("/keys", needs.all("admin"), async (_request, response) =>
    response.json((await keys.list()) satisfies KeySummary[]),
  );
  router.post("/keys", needs.all("admin"), async (request, response) => {
    const order = parseBody(newKeySchema, request);
    response.status(201).json((await keys.add(order, holderOf(response))) satisfies KeySummary);
  });
  router.delete("/keys/:id", needs.all("admin"), async (request, response) => {
    await keys.remove(request.params.id, holderOf(response));
    response.status(204).end();
  });
  return router;
}
