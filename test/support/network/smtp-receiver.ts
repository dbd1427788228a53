import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Empty without a login. */
  readonly user: string;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Header and body as they came. */
  readonly raw: string;
}

/** An SMTP server on 127.0.0.1 that keeps what it accepts. */
export class SmtpReceiver {
  readonly received: ReceivedMail[] = [];
  /** How often somebody wanted to send to a recipient. */
  asked = 0;
  /** What a recipient is refused with. */
  refuse: (recipient: string) => { code: number; text: string } | undefined = () => undefined;

  private constructor(
    private readonly server: SMTPServer,
    readonly port: number,
  ) {}

  /** On `port`, or any that is free. With `password` nobody else may send than user `sluice`. */
  static async start(
    { port = 0, password }: { port?: number; password?: string } = {},
    options: SMTPServerOptions = {},
  ): Promise<SmtpReceiver> {
    const server = new SMTPServer({
      authOptional: password === undefined,
      logger: false,
      onAuth: (auth, _session, done) =>
        auth.username === "sluice" && auth.password === password
          ? done(null, { user: auth.username })
          : done(answering(535, "5.7.8 Invalid username or password")),
      onRcptTo: ({ address }, _session, done) => {
        receiver.asked++;
        const refused = receiver.refuse(address);
        done(refused && answering(refused.code, refused.text));
      },
      onData: (stream, session, done) => {
        void text(stream).then((raw) => {
          const { mailFrom, rcptTo } = session.envelope;
          receiver.received.push({
            from: mailFrom === false ? "" : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            user: String(session.user ?? ""),
            secure: session.secure,
            raw,
          });
          done();
        });
      },
      ...options,
    });
    server.on("error", () => undefined);
    server.listen(port, "127.0.0.1");
    await once(server.server, "listening");
    // Of a server that listens on a port.
    const receiver = new SmtpReceiver(server, (server.server.address() as AddressInfo).port);
    return receiver;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(resolve));
  }
}

/** A server that takes connections and never says a word. */
export async function silentServer(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => undefined).resume()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answering(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
