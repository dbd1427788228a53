import { createServer, type Server } from "node:https";
import type { TestAuthorityFiles } from "./test-certificates.js";

/**
 * The directory of an authority with renewal information (RFC 9773) added: Debian's pebble has none. All else is asked of that
 * authority itself.
 */
export class RenewalDirectory {
  /** Of every certificate; ms since 1970. */
  window = { start: Date.now() + 3_600_000, end: Date.now() + 7_200_000 };
  /** Names of certificates that were asked for. */
  readonly asked: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(files: TestAuthorityFiles, directory: () => Promise<string>): Promise<RenewalDirectory> {
    const { certificate, key } = await files.issue({ names: ["127.0.0.1"] });
    const server = createServer({ cert: certificate + files.intermediate, key });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const renewal = new RenewalDirectory(server, typeof address === "object" ? (address?.port ?? 0) : 0);
    server.on("request", (request, response) => {
      void (async () => {
        response.setHeader("content-type", "application/json");
        if (request.url === "/dir")
          response.end(
            JSON.stringify({ ...JSON.parse(await directory()), renewalInfo: `${renewal.url}/renewal` }),
          );
        else {
          renewal.asked.push(request.url?.split("/").at(-1) ?? "");
          const { start, end } = renewal.window;
          const suggestedWindow = { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
          response.setHeader("retry-after", "60").end(JSON.stringify({ suggestedWindow }));
        }
      })();
    });
    return renewal;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
