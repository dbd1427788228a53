import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/network/free-port.js";
import { answering, type StartRival } from "./rival.js";

/** Caddy's reverse proxy as it comes, without certificates and logs of requests. */
export const caddy: StartRival = async (workshop, upstream) => {
  const port = await freePort();
  const folder = await workshop.folder();
  const file = join(folder, "Caddyfile");
  await writeFile(file, configuration(port, upstream));
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const program = await workshop.program(["caddy", "run", "--config", file, "--adapter", "caddyfile"], env);
  return answering("Caddy", port, program);
};

function configuration(port: number, upstream: string): string {
  return `{
	admin off
	auto_https off
}
http://:${port} {
	bind 127.0.0.1
	reverse_proxy ${upstream}
}
`;
}
