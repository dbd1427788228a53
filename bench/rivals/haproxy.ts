import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/network/free-port.js";
import type { CertificateFiles } from "./certificate-files.js";
import { answering, type StartRival } from "./rival.js";

/** HAProxy with nothing but a frontend and a server; `global` is what it takes over from Sluice's (threads). */
export const bareHaproxy =
  (global: string): StartRival =>
  async (workshop, upstream) => {
    const port = await freePort();
    const file = join(await workshop.folder(), "haproxy.cfg");
    await writeFile(file, configuration(global, `127.0.0.1:${port}`, upstream));
    const program = await workshop.program(["haproxy", "-db", "-f", file]);
    return answering("bare HAProxy", port, program);
  };

/** The same with TLS and one certificate. `global` has Sluice's versions and ciphers too. */
export const bareHaproxyWithTls =
  (global: string, { both }: CertificateFiles): StartRival =>
  async (workshop, upstream) => {
    const port = await freePort();
    const file = join(await workshop.folder(), "haproxy.cfg");
    const bind = `127.0.0.1:${port} ssl crt ${both} alpn h2,http/1.1`;
    await writeFile(file, configuration(global, bind, upstream));
    const program = await workshop.program(["haproxy", "-db", "-f", file]);
    return answering("bare HAProxy", port, program, "https");
  };

/** The lines on threads in Sluice's configuration; empty when it leaves them to HAProxy. */
export function threadLines(sluiceConfiguration: string): string {
  return (sluiceConfiguration.match(/^\s*(?:nbthread|cpu-map|thread-groups)\b.*$/gm) ?? []).join("\n");
}

/** The lines on TLS in Sluice's configuration. */
export function tlsLines(sluiceConfiguration: string): string {
  return (sluiceConfiguration.match(/^\s*ssl-default-bind-.*$/gm) ?? []).join("\n");
}

function configuration(global: string, bind: string, upstream: string): string {
  return `global
${global}
  maxconn 5000
defaults
  mode http
  timeout client 1h
  timeout server 1h
  timeout connect 5s
frontend traffic
  bind ${bind}
  default_backend upstream
backend upstream
  server one ${upstream}
`;
}
