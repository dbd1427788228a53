import type { RouteTable } from "../../../core/records/routes/route-table.js";
import type { InstanceState } from "../../engines/engine.js";

/** An app as a server finds it when it starts. */
export interface AppSnapshot {
  readonly name: string;
  readonly table: RouteTable;
  /** Those that the engine keeps, running or not; undefined: it did not answer. */
  readonly instances: readonly InstanceState[] | undefined;
}
