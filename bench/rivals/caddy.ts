import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/network/free-port.js";
import type { Workshop } from "../workshop.js";
import type { CertificateFiles } from "./certificate-files.js";
import { answering, type Rival, type StartRival } from "./rival.js";

/** Caddy's reverse proxy as it comes, without certificates and logs of requests. */
export const caddy: StartRival = async (workshop, upstream) => start(workshop, upstream, "http", "");

/** The same with TLS and HTTP/2. */
export const caddyWithTls =
  ({ certificate, key }: CertificateFiles): StartRival =>
  async (workshop, upstream) =>
    start(workshop, upstream, "https", `\ttls ${certificate} ${key}\n`);

async function start(
  workshop: Workshop,
  upstream: string,
  scheme: "http" | "https",
  more: string,
): Promise<Rival> {
  const port = await freePort();
  const folder = await workshop.folder();
  const file = join(folder, "Caddyfile");
  await writeFile(file, configuration(`${scheme}://:${port}`, upstream, more));
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const program = await workshop.program(["caddy", "run", "--config", file, "--adapter", "caddyfile"], env);
  return answering("Caddy", port, program, scheme);
}

function configuration(site: string, upstream: string, more: string): string {
  return `{
	admin off
	auto_https off
}
${site} {
	bind 127.0.0.1
${more}	reverse_proxy ${upstream}
}
`;
}
