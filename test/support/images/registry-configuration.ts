import { stringify } from "yaml";
import { TOKEN_ISSUER, TOKEN_SERVICE } from "./token-server.js";

export interface RegistryPlan {
  readonly address: string;
  readonly port: number;
  /** Has `server.crt`, `server.key`, `htpasswd` or `token.crt`, and gets `storage`. */
  readonly folder: string;
  /** URL of the server that gives tokens; undefined for a password file. */
  readonly realm?: string;
  readonly deletes?: boolean;
}

/** For `docker-registry serve`. */
export function registryConfiguration({
  address,
  port,
  folder,
  realm,
  deletes = true,
}: RegistryPlan): string {
  const token = {
    realm,
    service: TOKEN_SERVICE,
    issuer: TOKEN_ISSUER,
    rootcertbundle: `${folder}/token.crt`,
  };
  return stringify({
    version: 0.1,
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: `${folder}/storage` }, delete: { enabled: deletes } },
    http: {
      addr: `${address}:${port}`,
      secret: "a secret of the test",
      tls: { certificate: `${folder}/server.crt`, key: `${folder}/server.key` },
    },
    auth: realm === undefined ? { htpasswd: { realm: "outside", path: `${folder}/htpasswd` } } : { token },
  });
}
