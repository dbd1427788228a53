import { parseReleaseName, releaseName } from "../names.js";

/** Which copy of which process an instance is. */
export interface InstanceIdentity {
  readonly app: string;
  /** The release's number. */
  readonly release: number;
  readonly process: string;
  /** From 1. */
  readonly index: number;
}

const ID = /^([a-z][a-z0-9-]*)\.(v\d+)\.([a-z][a-z0-9-]*)\.([1-9]\d*)$/;

/** `APP.vN.PROCESS.INDEX`: unique, and safe as a file name and as the name of a server in HAProxy. */
export function instanceId({ app, release, process, index }: InstanceIdentity): string {
  return `${idPrefix(app, release)}.${process}.${index}`;
}

/** What the ids of an app's instances, or of a release's, begin with; a dot follows. */
export function idPrefix(app: string, release?: number): string {
  return release === undefined ? app : `${app}.${releaseName(release)}`;
}

/** Undefined for what is no instance's id, such as one of Sluice's own services. */
export function parseInstanceId(id: string): InstanceIdentity | undefined {
  const [, app = "", release = "", process = "", index = ""] = ID.exec(id) ?? [];
  const number = parseReleaseName(release);
  return number === undefined ? undefined : { app, release: number, process, index: Number(index) };
}

/** `web.1`, as people see it within a release; the value of `DYNO`. */
export function instanceName({ process, index }: Pick<InstanceIdentity, "process" | "index">): string {
  return `${process}.${index}`;
}
