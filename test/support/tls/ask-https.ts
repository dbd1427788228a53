import { request } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { TLSSocket, type PeerCertificate } from "node:tls";

export interface HttpsAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly certificate: PeerCertificate;
  readonly protocol: string;
}

/** `GET` over TLS by the name of `host` (`NAME` or `NAME:PORT`), to a port of this machine. Rejects when `root` (PEM) does not vouch for who answers. */
export async function askHttps(
  port: number,
  host: string,
  {
    path = "/",
    root,
    address = "127.0.0.1",
  }: { path?: string; root?: string | undefined; address?: string } = {},
): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...{
          host: address,
          port,
          path,
          servername: host.replace(/:\d+$/, ""),
          headers: { host },
          agent: false,
        },
        ...(root === undefined ? { rejectUnauthorized: false } : { ca: root }),
      },
      (response) => {
        const { socket } = response;
        if (!(socket instanceof TLSSocket)) throw new Error("it has no TLS");
        const [certificate, protocol] = [socket.getPeerCertificate(), socket.getProtocol() ?? ""];
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (body += chunk));
        response.once("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            certificate,
            protocol,
          }),
        );
      },
    );
    outgoing.once("error", reject);
    outgoing.end();
  });
}
