import type { SecretBox } from "../../../core/secrets.js";

/** Of the server's user of a replica. */
export function serverPassword(box: Pick<SecretBox, "derive">, host: string): string {
  return box.derive(`redis-replica:${host}`);
}
