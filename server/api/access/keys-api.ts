import { Router } from "express";
import { newKeySchema, type KeySummary } from "../../../core/api/access/keys.js";
import type { KeyStore } from "../../access/key-store.js";
import { parseBody } from "../requests/parse-body.js";

/** `GET` and `POST /keys`, `DELETE /keys/ID`. */
export function keysApi(keys: KeyStore): Router {
  const router = Router();
  router.get("/keys", async (_request, response) =>
    response.json((await keys.list()) satisfies KeySummary[]),
  );
  router.post("/keys", async (request, response) => {
    const { key } = parseBody(newKeySchema, request);
    response.status(201).json((await keys.add(key)) satisfies KeySummary);
  });
  router.delete("/keys/:id", async (request, response) => {
    await keys.remove(request.params.id);
    response.status(204).end();
  });
  return router;
}
