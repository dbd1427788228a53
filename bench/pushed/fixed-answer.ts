/** The fastest upstream at hand: nginx, one worker, a fixed answer of 20 bytes on any path. */
export function fixedAnswerConfiguration(port: number | "PORT_HERE", folder: string): string {
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
${TEMPORARY_PATHS.map((name) => `  ${name}_temp_path ${folder}/${name};\n`).join("")}  server {
    listen 127.0.0.1:${port};
    location / { default_type text/plain; return 200 "nineteen characters\\n"; }
  }
}
`;
}

/** Where nginx would put what it never has to; its own default is a folder of root's. */
export const TEMPORARY_PATHS = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] as const;

/** The same as an app that Sluice runs. */
export function fixedAnswerApp(): Record<string, string> {
  return {
    "nginx.conf": fixedAnswerConfiguration("PORT_HERE", "FOLDER_HERE"),
    "start.sh": `#!/bin/sh
set -eu
sed "s|PORT_HERE|$PORT|; s|FOLDER_HERE|$PWD|" nginx.conf >started.conf
PATH=$PATH:/usr/sbin
exec nginx -e stderr -p "$PWD" -c "$PWD/started.conf"
`,
    Procfile: "web: ./start.sh\n",
  };
}
