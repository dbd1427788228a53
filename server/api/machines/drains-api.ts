import { Router } from "express";
import type { Drained } from "../../../core/api/machines/drain.js";
import { AppError } from "../../../core/errors/app-error.js";
import type { Log } from "../../../core/log.js";
import { actorOf, type Actor } from "../../../core/records/events/actor.js";
import { addEventsIn } from "../../../core/records/events/change-field.js";
import { FleetHosts } from "../../../core/records/fleet/fleet-hosts.js";
import type { Database } from "../../../core/redis/database.js";
import type { ServerParts } from "../../assemble.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import { nameOf } from "./host-summaries.js";

interface DrainsApiOptions {
  readonly hosts: ServerParts["hosts"];
  readonly redis: Database;
  readonly log: Log;
  /** For messages. */
  readonly settingsFile: string;
}

/**
 * `POST /hosts/HOST/drain`, `POST /hosts/HOST/undrain`: begin or end a drain, and answer at once; `GET /hosts` shows how far it
 * is. Throw `host-unknown`, `fleet-host-busy` for one that leaves, `fleet-needs-swarm` where there is one host only.
 */
export function drainsApi({ hosts, redis, log, settingsFile }: DrainsApiOptions): Router {
  const fleetHosts = new FleetHosts(redis);
  const setDraining = async (host: string, draining: boolean, actor: Actor): Promise<Drained> => {
    if (hosts === undefined) throw new AppError("fleet-needs-swarm", { file: settingsFile });
    const [nodes, fleet] = await Promise.all([hosts.engine.list(), fleetHosts.list()]);
    const known = nodes.map((node) => nameOf(node, fleet));
    const node = nodes.find((each) => nameOf(each, fleet) === host || each.id === host);
    if (node === undefined) throw new AppError("host-unknown", { host, known });
    const { phase } = fleet.find(({ name }) => name === nameOf(node, fleet)) ?? {};
    if (phase === "leaving") throw new AppError("fleet-host-busy", { host, phase });
    if (node.draining !== draining) {
      await hosts.engine.setDraining(node.id, draining);
      const type = draining ? "host.draining" : "host.undrained";
      const batch = redis.pipeline();
      addEventsIn(batch, [{ ...actorOf(actor), app: "", type, data: { subject: host } }]);
      await batch.exec();
      log.info({ host, by: actor.by, draining }, "a drain of a host begins or ends");
    }
    hosts.drains.wake();
    return { host: nameOf(node, fleet), draining };
  };
  const router = Router();
  router.post("/hosts/:host/drain", needs.all("operate"), async (request, response) => {
    const drained = await setDraining(request.params.host, true, holderOf(response));
    response.status(202).json(drained satisfies Drained);
  });
  router.post("/hosts/:host/undrain", needs.all("operate"), async (request, response) => {
    const drained = await setDraining(request.params.host, false, holderOf(response));
    response.json(drained satisfies Drained);
  });
  return router;
}
