import type { RequestHandler } from "express";
import { AppError } from "../../core/app-error.js";
import { tokenOf } from "../access/token-of.js";
import type { TokenStore } from "../access/token-store.js";
import type { Tools } from "../tools.js";
import { prometheusText } from "./prometheus.js";

/** `GET /metrics` for Prometheus, with `Authorization: Bearer TOKEN` or `?token=TOKEN`. */
export function metrics(tools: Tools, tokens: TokenStore): RequestHandler {
  return async (request, response) => {
    if ((await tokens.holder(tokenOf(request))) === undefined) throw new AppError("unauthorized", {});
    const [apps, states] = await Promise.all([tools.apps.list(), tools.engine.list()]);
    const [traffic, gauges] = await Promise.all([
      Promise.all(
        apps.map(async ({ name }) =>
          (await tools.traffic.totals(name)).map((total) => ({ app: name, ...total })),
        ),
      ),
      Promise.all(
        apps.map(async ({ name }) => ({
          app: name,
          releases: (await tools.routes.read(name)).releases.length,
          instances: states.filter(({ id, running }) => running && id.startsWith(`${name}.`)).length,
        })),
      ),
    ]);
    const text = prometheusText({ traffic: traffic.flat(), apps: gauges });
    response.set("Cache-Control", "no-store").type("text/plain; version=0.0.4; charset=utf-8").send(text);
  };
}
