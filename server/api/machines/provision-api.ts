import { Router } from "express";
import {
  provisionRequestSchema,
  removeHostSchema,
  type Begun,
  type BilledDroplet,
  type HostProgress,
} from "../../../core/api/machines/provision.js";
import {
  snapshotRequestSchema,
  type BilledSnapshot,
  type SnapshotBegun,
} from "../../../core/api/machines/snapshots.js";
import { AppError } from "../../../core/errors/app-error.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import { parseBody } from "../requests/parse-body.js";
import type { HostFleet } from "./host-fleet.js";

/** A stream's id, which a line of the log has. */
const LINE_ID = /^\d{1,20}(?:-\d{1,20})?$/;

/**
 * `POST /hosts`, `POST /hosts/HOST/provision`, `POST /hosts/HOST/remove`, `GET /hosts/HOST/log?after`, `GET /hosts/droplets`,
 * `GET` and `POST /hosts/snapshots`. Without a fleet nothing is billed, and the others throw `fleet-needs-swarm`.
 */
export function provisionApi(fleet: HostFleet | undefined, settingsFile: string): Router {
  const theFleet = (): HostFleet => {
    if (fleet === undefined) throw new AppError("fleet-needs-swarm", { file: settingsFile });
    return fleet;
  };
  const router = Router();
  router.get("/hosts/droplets", needs.all("read"), async (_request, response) => {
    response.json(((await fleet?.billed()) ?? []) satisfies BilledDroplet[]);
  });
  router.get("/hosts/snapshots", needs.all("read"), async (_request, response) => {
    response.json(((await fleet?.snapshots.billed()) ?? []) satisfies BilledSnapshot[]);
  });
  router.post("/hosts/snapshots", needs.all("admin"), async (request, response) => {
    const order = parseBody(snapshotRequestSchema, request);
    const begun = await theFleet().snapshots.order(order, holderOf(response));
    response.status(begun.begun === null ? 200 : 202).json(begun satisfies SnapshotBegun);
  });
  router.post("/hosts", needs.all("admin"), async (request, response) => {
    const order = parseBody(provisionRequestSchema, request);
    response.status(202).json((await theFleet().provision(order, holderOf(response))) satisfies Begun);
  });
  router.post("/hosts/:host/provision", needs.all("admin"), async (request, response) => {
    const begun = await theFleet().configureAgain(request.params.host, holderOf(response));
    response.status(202).json(begun satisfies Begun);
  });
  router.post("/hosts/:host/remove", needs.all("admin"), async (request, response) => {
    const options = parseBody(removeHostSchema, request);
    const begun = await theFleet().remove(request.params.host, options, holderOf(response));
    response.status(202).json(begun satisfies Begun);
  });
  router.get("/hosts/:host/log", needs.all("read"), async (request, response) => {
    const after = request.query["after"] ?? "0";
    if (typeof after !== "string" || !LINE_ID.test(after))
      throw new AppError("request-invalid", { problem: "after: must be the id of a line" });
    response.json((await theFleet().progress(request.params.host, after)) satisfies HostProgress);
  });
  return router;
}
