import { Router } from "express";
import { includesRight } from "../../../core/api/access/scope.js";
import { configChangeSchema, type Config } from "../../../core/api/apps/config.js";
import { followPreviewPassword } from "../../routes/preview-access.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import { holderOf } from "../guards/require-token.js";
import { parseBody } from "../requests/parse-body.js";

/** `GET /apps/APP/config`, its values for an admin alone; `PATCH /apps/APP/config`. */
export function configApi({ apps, config, routes }: Pick<ApiNeeds, "apps" | "config" | "routes">): Router {
  const router = Router();
  router.get("/apps/:app/config", needs.app("read"), async (request, response) => {
    const { name } = await apps.read(request.params.app);
    const isAdmin = includesRight(holderOf(response).scope.may, "admin");
    response.json((isAdmin ? await config.read(name) : await namesOnly(config, name)) satisfies Config);
  });
  router.patch("/apps/:app/config", needs.app("admin"), async (request, response) => {
    const { set, unset } = parseBody(configChangeSchema, request);
    const actor = holderOf(response);
    const { name } = await apps.ensure(request.params.app, actor);
    await config.change(name, set, unset, actor);
    await followPreviewPassword({ config, routes }, name);
    response.json((await config.read(name)) satisfies Config);
  });
  return router;
}

async function namesOnly(config: ApiNeeds["config"], app: string): Promise<Config> {
  return Object.fromEntries((await config.names(app)).map((name) => [name, null]));
}
