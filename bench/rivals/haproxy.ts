import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/network/free-port.js";
import { answering, type StartRival } from "./rival.js";

/** HAProxy with nothing but a frontend and a server; `global` is what it takes over from Sluice's (threads). */
export const bareHaproxy =
  (global: string): StartRival =>
  async (workshop, upstream) => {
    const port = await freePort();
    const file = join(await workshop.folder(), "haproxy.cfg");
    await writeFile(file, configuration(global, port, upstream));
    const program = await workshop.program(["haproxy", "-db", "-f", file]);
    return answering("bare HAProxy", port, program);
  };

/** The lines on threads in Sluice's configuration; empty when it leaves them to HAProxy. */
export function threadLines(sluiceConfiguration: string): string {
  return (sluiceConfiguration.match(/^\s*(?:nbthread|cpu-map|thread-groups)\b.*$/gm) ?? []).join("\n");
}

function configuration(global: string, port: number, upstream: string): string {
  return `global
${global}
  maxconn 5000
defaults
  mode http
  timeout client 1h
  timeout server 1h
  timeout connect 5s
frontend traffic
  bind 127.0.0.1:${port}
  default_backend upstream
backend upstream
  server one ${upstream}
`;
}
