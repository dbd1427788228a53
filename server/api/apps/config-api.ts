import { Router } from "express";
import { configChangeSchema, type Config } from "../../../core/api/apps/config.js";
import type { ApiNeeds } from "../needs.js";
import { holderOf } from "../require-token.js";
import { parseBody } from "../requests/parse-body.js";

/** `GET` and `PATCH /apps/APP/config`. */
export function configApi({ apps, config }: Pick<ApiNeeds, "apps" | "config">): Router {
  const router = Router();
  router.get("/apps/:app/config", async (request, response) => {
    const { name } = await apps.read(request.params.app);
    response.json((await config.read(name)) satisfies Config);
  });
  router.patch("/apps/:app/config", async (request, response) => {
    const { set, unset } = parseBody(configChangeSchema, request);
    const by = holderOf(response);
    const { name } = await apps.ensure(request.params.app, by);
    await config.change(name, set, unset, by);
    response.json((await config.read(name)) satisfies Config);
  });
  return router;
}
