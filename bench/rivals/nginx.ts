import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/network/free-port.js";
import { fixedAnswerConfiguration, TEMPORARY_PATHS } from "../pushed/fixed-answer.js";
import type { Workshop } from "../workshop.js";
import type { CertificateFiles } from "./certificate-files.js";
import { answering, type Rival, type StartRival } from "./rival.js";

/** nginx as a proxy with connections kept to the upstream, a worker per core. */
export const nginx: StartRival = async (workshop, upstream) =>
  start(workshop, "nginx", (port, folder) => proxyConfiguration(`127.0.0.1:${port}`, upstream, folder));

/** The same with TLS and HTTP/2, and its own choice of ciphers. */
export const nginxWithTls =
  ({ certificate, key }: CertificateFiles): StartRival =>
  async (workshop, upstream) => {
    const certificateLines = `    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
`;
    return start(
      workshop,
      "nginx",
      (port, folder) => proxyConfiguration(`127.0.0.1:${port} ssl http2`, upstream, folder, certificateLines),
      "https",
    );
  };

/** nginx that answers by itself: an upstream. */
export async function fixedAnswer(workshop: Workshop): Promise<Rival> {
  return start(workshop, "the upstream", fixedAnswerConfiguration);
}

async function start(
  workshop: Workshop,
  name: string,
  configuration: (port: number, folder: string) => string,
  scheme: "http" | "https" = "http",
): Promise<Rival> {
  const port = await freePort();
  const folder = await workshop.folder();
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration(port, folder));
  const env = { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` };
  const program = await workshop.program(["nginx", "-e", "stderr", "-p", folder, "-c", file], env);
  return answering(name, port, program, scheme);
}

function proxyConfiguration(listen: string, upstream: string, folder: string, more = ""): string {
  return `daemon off;
worker_processes auto;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
${TEMPORARY_PATHS.map((name) => `  ${name}_temp_path ${folder}/${name};\n`).join("")}  upstream app {
    server ${upstream};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen ${listen};
${more}    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
  }
}
`;
}
